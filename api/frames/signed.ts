import { createHmac, timingSafeEqual } from 'node:crypto'

/** A small value in a URL, which nobody can make or change who has not the key, and which is good for one purpose and for a short time. */
export interface SignedValues<Value> {
  sign(value: Value): { readonly ticket: string; readonly expiresAt: Date }
  /** undefined for what is not ours, is of another purpose, or is too old. */
  read(ticket: string | null): Value | undefined
}

/** `key` is that of the lab's processes, so that any api honours what another one gave. `value` is plain data. */
export function signedValues<Value>(key: string, purpose: string, lifeMs: number, now: () => number): SignedValues<Value> {
  const signature = (text: string): Buffer => createHmac('sha256', key).update(`${purpose}:${text}`).digest()
  return {
    sign(value) {
      const expiresMs = now() + lifeMs
      const text = JSON.stringify([expiresMs, value])
      return { ticket: `${Buffer.from(text).toString('base64url')}.${signature(text).toString('base64url')}`, expiresAt: new Date(expiresMs) }
    },
    read(ticket) {
      const [body = '', signed = ''] = (ticket ?? '').split('.', 2)
      const text = Buffer.from(body, 'base64url').toString()
      const given = Buffer.from(signed, 'base64url')
      const right = signature(text)
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
      const [expiresMs, value] = JSON.parse(text) as [number, Value] // we wrote it
      return expiresMs < now() ? undefined : value
    },
  }
}
