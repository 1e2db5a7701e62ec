import type { Database, Prisma } from '../prisma/client.ts'
import type { Event } from './loaders.ts'
import type { RowChanges } from './row-changes.ts'

/** Where a feed stands. Ids mean something within their own feed only: another database has another. */
export type FeedPosition = { readonly feed: string; readonly last: bigint }

/** The feed of everything that happens, by the ids of its rows: they become visible in order, so a reader that goes on from one misses nothing. */
export interface EventFeed {
  present(): Promise<FeedPosition>
  /** Which feed it was when it was looked at last. */
  identity(): Promise<string>
  /** At most PAGE events after that id, in order, how far the feed was looked through, and which it is. */
  read(after: bigint, where: Prisma.EventWhereInput): Promise<{ readonly events: readonly Event[]; readonly upTo: bigint; readonly feed: string }>
  /** Called when there may be more. */
  onMore(listener: () => void): () => void
}

const PAGE = 500 // rows in memory at once; a reader far behind takes page after page

export function createEventFeed({ prisma, pool }: Pick<Database, 'prisma' | 'pool'>, changes: RowChanges): EventFeed {
  let identity: string | undefined
  const present = async (): Promise<FeedPosition> => {
    const { rows } = await pool.query<{ feed: string; last: string }>(
      `SELECT "identity" AS "feed", (SELECT coalesce(max("id"), 0) FROM "event")::text AS "last" FROM "feed"`,
    )
    const [row] = rows
    if (row === undefined) throw new Error('the feed of this database has no identity')
    identity = row.feed
    return { feed: row.feed, last: BigInt(row.last) }
  }
  return {
    present,
    identity: async () => identity ?? (await present()).feed,
    async read(after, where) {
      const { feed, last } = await present() // before the page, so that nothing that comes in between is passed over
      const events = await prisma.event.findMany({ where: { AND: [{ id: { gt: after } }, { id: { lte: last } }, where] }, orderBy: { id: 'asc' }, take: PAGE })
      return { events, upTo: events.length === PAGE ? (events.at(-1)?.id ?? last) : last, feed }
    },
    onMore: (listener) => changes.watch('event', undefined, () => listener()),
  }
}
