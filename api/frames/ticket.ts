import type { LinkStreams } from '../../link/protocol.ts'
import { signedValues } from './signed.ts'

/** The WebSocket subprotocol of /frames. */
export const FRAME_PROTOCOL = 'kymograph-frames'
export const FRAME_PATH = '/frames'
export const THUMBNAIL_PATH = '/frames/thumbnail.png'
/** A page asks for a ticket and connects at once. */
const TICKET_LIFE_MS = 30_000
/** A page shows the newest notices for a while before it loads what has come into sight. */
const THUMBNAIL_LIFE_MS = 5 * 60_000

/** One camera, seen in one way, at most at one rate. */
export type FrameRequest = LinkStreams['frames']['params']
export type ThumbnailRequest = { readonly deviceId: string; readonly maxSide: number }

/** Lets whoever has it see one camera in one way, without any other right. */
export interface FrameTickets {
  issue(request: FrameRequest): { readonly url: string; readonly expiresAt: Date }
  /** undefined for a ticket that is not good. */
  check(ticket: string | null): FrameRequest | undefined
  thumbnailUrl(request: ThumbnailRequest): string
  checkThumbnail(ticket: string | null): ThumbnailRequest | undefined
}

export function createFrameTickets(key: string, now: () => number = Date.now): FrameTickets {
  const frames = signedValues<FrameRequest>(key, 'frames', TICKET_LIFE_MS, now)
  const thumbnails = signedValues<ThumbnailRequest>(key, 'thumbnail', THUMBNAIL_LIFE_MS, now)
  return {
    issue(request) {
      const { ticket, expiresAt } = frames.sign(request)
      return { url: `${FRAME_PATH}?ticket=${ticket}`, expiresAt }
    },
    check: (ticket) => frames.read(ticket),
    thumbnailUrl: (request) => `${THUMBNAIL_PATH}?ticket=${thumbnails.sign(request).ticket}`,
    checkThumbnail: (ticket) => thumbnails.read(ticket),
  }
}
