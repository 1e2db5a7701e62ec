import type { Prisma } from '../../prisma/client.ts'
import type { Context } from '../context.ts'
import { decodeCursorOf, encodeStreamCursor } from '../cursor.ts'
import type { FeedPosition } from '../feed.ts'
import type { Event } from '../loaders.ts'
import type { Gap } from '../schema/gap.ts'
import { type LiveSource, liveSource, Wake } from './source.ts'

export type EventBatch = { readonly cursor: string; readonly gap?: Gap; readonly events: readonly Event[] }

/** From now on, or after a cursor; lossless, in the order of the ids. Of another feed than the cursor's, the present on, with a gap. */
export async function eventSource(where: Prisma.EventWhereInput, after: string | undefined, { feed }: Context): Promise<LiveSource<EventBatch>> {
  const asked = after === undefined ? undefined : decodeCursorOf('event', after)
  const present = await feed.present()
  const foreign = asked !== undefined && (asked.event > present.last || (asked.feed !== undefined && asked.feed !== present.feed))
  const begin = asked === undefined || foreign ? present.last : asked.event
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
        let at: FeedPosition = { feed: present.feed, last: begin }
        if (foreign && after !== undefined) yield gapTo(after, at)
        while (!signal.aborted) {
          const page = await feed.read(at.last, where)
          if (page.feed !== at.feed) {
            const before = cursorAt(at)
            at = await feed.present()
            yield gapTo(before, at)
            continue
          }
          at = { feed: page.feed, last: page.upTo }
          if (page.events.length > 0) yield { cursor: cursorAt(at), events: page.events }
          else await more.wait(signal)
        }
      } finally {
        unwatch()
      }
    },
  })
}

function cursorAt({ feed, last }: FeedPosition): string {
  return encodeStreamCursor({ feed, event: last })
}

function gapTo(from: string, at: FeedPosition): EventBatch {
  const to = cursorAt(at)
  return { cursor: to, gap: { from, to, reason: 'the cursor is from another feed: the database is a new one' }, events: [] }
}
