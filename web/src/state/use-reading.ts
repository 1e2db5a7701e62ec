import { useEffect, useState } from 'react'
import type { LiveValue } from '../model/reading-batch.ts'
import type { Wanted } from '../model/selection.ts'
import { useLab } from './lab.tsx'

/** The present value of a parameter, from the shared stream; `initial` until the first one comes. */
export function useReading(wanted: Wanted | undefined, initial?: LiveValue): LiveValue | undefined {
  const { live } = useLab()
  const [value, setValue] = useState<LiveValue | undefined>()
  const { parameterId, deviceId, name } = wanted ?? {}
  useEffect(() => {
    if (parameterId === undefined || deviceId === undefined || name === undefined) return undefined
    setValue(live.latest(parameterId))
    return live.watch({ parameterId, deviceId, name }, (values) => setValue(values.at(-1)))
  }, [live, parameterId, deviceId, name])
  return value ?? initial
}
