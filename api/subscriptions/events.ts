import type { Prisma } from '../../prisma/client.ts'
import type { Context } from '../context.ts'
import { decodeStreamCursor, encodeStreamCursor } from '../cursor.ts'
import type { Event } from '../loaders.ts'
import type { Gap } from '../schema/gap.ts'
import { type LiveSource, liveSource, Wake } from './source.ts'

export type EventBatch = { readonly cursor: string; readonly gap?: Gap; readonly events: readonly Event[] }

/** From now on, or after a cursor; lossless, in the order of the ids. */
export async function eventSource(where: Prisma.EventWhereInput, after: string | undefined, { feed }: Context): Promise<LiveSource<EventBatch>> {
  const asked = after === undefined ? undefined : (decodeStreamCursor(after).event ?? 0n)
  const last = await feed.lastId()
  const begin = asked === undefined || asked > last ? last : asked
  return liveSource<EventBatch>({
    delivery: 'EVERY',
    joinable: after === undefined, // whoever joins begins now, as if it were their own
    behind: (delivered, newest) => ({
      cursor: newest.cursor,
      gap: {
        ...(delivered !== undefined && { from: delivered.cursor }),
        to: newest.cursor,
        reason: 'the client did not keep up; subscribe again after the last cursor',
      },
      events: [],
    }),
    async *run(signal) {
      const more = new Wake()
      const unwatch = feed.onMore(more.wake)
      try {
        let at = begin
        if (asked !== undefined && asked > last) yield { cursor: encodeStreamCursor({ event: at }), gap: gapTo(asked, at), events: [] }
        while (!signal.aborted) {
          const { events, upTo } = await feed.read(at, where)
          at = upTo
          if (events.length > 0) yield { cursor: encodeStreamCursor({ event: at }), events }
          else await more.wait(signal)
        }
      } finally {
        unwatch()
      }
    },
  })
}

function gapTo(asked: bigint, at: bigint): Gap {
  return {
    from: encodeStreamCursor({ event: asked }),
    to: encodeStreamCursor({ event: at }),
    reason: 'the cursor is from another feed: the database is a new one',
  }
}
