import { createHmac, timingSafeEqual } from 'node:crypto'
import { GraphQLError } from 'graphql'
import { FRAME_BIN, type FrameQuality } from '../../core/frame.ts'
import { isUuid } from '../../core/id.ts'

/** The WebSocket subprotocol of /frames. */
export const FRAME_PROTOCOL = 'kymograph-frames'
export const FRAME_PATH = '/frames'
/** A page asks for a ticket and connects at once. */
const TICKET_LIFE_MS = 30_000
/** More than eyes and screens can use. */
export const MAX_FRAME_RATE_HZ = 60

export type FrameView = { readonly deviceId: string; readonly quality: FrameQuality; readonly maxRateHz: number }

/** Lets one viewer see one camera in one quality. Signed with the key that the lab's processes share, so any api honours what another gave. */
export interface FrameTickets {
  issue(view: FrameView): { readonly url: string; readonly expiresAt: Date }
  /** undefined for a ticket that is not ours, or too old. */
  check(ticket: string | null): FrameView | undefined
}

export function createFrameTickets(key: string, now: () => number = Date.now): FrameTickets {
  const sign = (text: string): Buffer => createHmac('sha256', key).update(`frames:${text}`).digest()
  return {
    issue({ deviceId, quality, maxRateHz }) {
      const expiresMs = now() + TICKET_LIFE_MS
      const text = [deviceId, quality, maxRateHz, expiresMs].join('/')
      const ticket = `${Buffer.from(text).toString('base64url')}.${sign(text).toString('base64url')}`
      return { url: `${FRAME_PATH}?ticket=${ticket}`, expiresAt: new Date(expiresMs) }
    },
    check(ticket) {
      const [body = '', signature = ''] = (ticket ?? '').split('.', 2)
      const text = Buffer.from(body, 'base64url').toString()
      const given = Buffer.from(signature, 'base64url')
      const right = sign(text)
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
      const [deviceId = '', quality = '', rate = '', expires = ''] = text.split('/')
      if (!isUuid(deviceId) || !isQuality(quality) || Number(expires) < now()) return undefined
      return { deviceId, quality, maxRateHz: Number(rate) }
    },
  }
}

function isQuality(text: string): text is FrameQuality {
  return text in FRAME_BIN
}

export function rateOf(hz: number): number {
  if (!(hz > 0 && hz <= MAX_FRAME_RATE_HZ))
    throw new GraphQLError(`maxRateHz: ${hz} is not allowed; give more than 0 and at most ${MAX_FRAME_RATE_HZ}`, { extensions: { code: 'BAD_USER_INPUT' } })
  return hz
}
