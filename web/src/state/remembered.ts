import { useCallback, useState } from 'react'

/** Settings of this browser. A browser that refuses to store (private mode, full) still works; it only forgets. */
export function recall<T>(key: string, fallback: T, isValid: (value: unknown) => value is T): T {
  try {
    const text = localStorage.getItem(`kymograph.${key}`)
    const value: unknown = text === null ? undefined : JSON.parse(text)
    return isValid(value) ? value : fallback
  } catch {
    return fallback // unreadable is the same as never set
  }
}

export function remember(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(`kymograph.${key}`, JSON.stringify(value))
    return true
  } catch {
    return false
  }
}

export function useRemembered<T>(key: string, fallback: T, isValid: (value: unknown) => value is T): [T, (value: T) => void] {
  const [value, setValue] = useState(() => recall(key, fallback, isValid))
  const set = useCallback(
    (next: T) => {
      setValue(next)
      remember(key, next)
    },
    [key],
  )
  return [value, set]
}

export const isString = (value: unknown): value is string => typeof value === 'string'
export const isNumber = (value: unknown): value is number => typeof value === 'number'
export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
export const isStringList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString)
