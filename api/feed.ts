import type { Database, Prisma } from '../prisma/client.ts'
import type { Event } from './loaders.ts'
import type { RowChanges } from './row-changes.ts'

/** The feed of everything that happens, by the ids of its rows: they become visible in order, so a reader that goes on from one misses nothing. */
export interface EventFeed {
  lastId(): Promise<bigint>
  /** At most PAGE events after that id, in order, and how far the feed was looked through. */
  read(after: bigint, where: Prisma.EventWhereInput): Promise<{ readonly events: readonly Event[]; readonly upTo: bigint }>
  /** Called when there may be more. */
  onMore(listener: () => void): () => void
}

const PAGE = 500 // rows in memory at once; a reader far behind takes page after page

export function createEventFeed({ prisma }: Pick<Database, 'prisma'>, changes: RowChanges): EventFeed {
  const lastId = async (): Promise<bigint> => (await prisma.event.findFirst({ orderBy: { id: 'desc' }, select: { id: true } }))?.id ?? 0n
  return {
    lastId,
    async read(after, where) {
      const last = await lastId() // before the page, so that nothing that comes in between is passed over
      const events = await prisma.event.findMany({ where: { AND: [{ id: { gt: after } }, { id: { lte: last } }, where] }, orderBy: { id: 'asc' }, take: PAGE })
      return { events, upTo: events.length === PAGE ? (events.at(-1)?.id ?? last) : last }
    },
    onMore: (listener) => changes.watch('event', undefined, () => listener()),
  }
}
