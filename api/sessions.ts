import { Conflict, InvalidValue, NotFound } from '../core/errors.ts'
import type { Prisma, Transaction } from '../prisma/client.ts'
import { appendEvents } from '../prisma/events.ts'
import { type Context, causeOf } from './context.ts'
import { localId } from './global-id.ts'
import type { Session } from './loaders.ts'
import { takeManifest } from './manifest.ts'
import { nowNs } from './now.ts'

const MAX_TITLE_LENGTH = 200 // one line
const MAX_TAGS = 50

export type NewSession = { readonly title: string; readonly tags: readonly string[]; readonly metadata?: unknown }

export async function openSession({ title, tags, metadata }: NewSession, context: Context): Promise<Session> {
  if (title.trim() === '' || title.length > MAX_TITLE_LENGTH) throw new InvalidValue(`title: give 1 to ${MAX_TITLE_LENGTH} characters`, ['input', 'title'])
  if (tags.length > MAX_TAGS) throw new InvalidValue(`tags: give at most ${MAX_TAGS}`, ['input', 'tags'])
  const manifest = await takeManifest(context)
  return context.database.prisma.$transaction((tx) => createSession(tx, { title, tags, metadata }, manifest, context))
}

async function createSession(
  tx: Transaction,
  { title, tags, metadata }: NewSession,
  manifest: Awaited<ReturnType<typeof takeManifest>>,
  context: Context,
): Promise<Session> {
  const session = await tx.session.create({
    // Whole milliseconds, as JavaScript knows them: what is read back is what is stored.
    data: {
      title: title.trim(),
      tags: [...tags],
      operator: context.actor.name,
      startedAt: new Date(),
      manifest: manifest as unknown as Prisma.InputJsonValue,
      ...(metadata != null && { metadata: metadata as Prisma.InputJsonValue }),
    },
  })
  await appendEvents(tx, [
    {
      time: nowNs(),
      kind: 'SESSION',
      subject: { type: 'Session', id: session.id },
      sessionId: session.id,
      summary: `session ${session.title} started`,
      cause: causeOf(context),
    },
  ])
  return session
}

/** Nobody ends it, or starts a run in it, until the transaction ends. Throws where it is not open. */
export async function holdOpenSession(tx: Transaction, sessionId: string): Promise<void> {
  const [session] = await tx.$queryRaw<{ title: string; state: string }[]>`
    SELECT "title", "state" FROM "session" WHERE "id" = ${sessionId}::uuid FOR NO KEY UPDATE`
  if (session === undefined) throw new NotFound(`session with the id ${sessionId}`)
  if (session.state !== 'OPEN') throw new Conflict(`session ${session.title} is closed`, { sessionId })
}

/** The session a run belongs to: the one named, else the actor's newest open one, else a new one named after the plan and the day. */
export async function sessionForRun(given: string | null | undefined, planTitle: string, context: Context): Promise<Session> {
  if (given != null) {
    const session = await context.load.session.load(localId('Session', given))
    if (session === undefined) throw new NotFound(`session with the id ${given}`)
    if (session.state !== 'OPEN') throw new Conflict(`session ${session.title} is closed`, { sessionId: session.id })
    return session
  }
  const { prisma } = context.database
  const open = await newestOpen(prisma, context)
  if (open !== null) return open
  const manifest = await takeManifest(context)
  return prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('session of ' || ${context.actor.name}))` // several first runs at once share one session
    const title = `${planTitle}, ${new Date().toISOString().slice(0, 10)}`
    return (await newestOpen(tx, context)) ?? createSession(tx, { title, tags: [] }, manifest, context)
  })
}

function newestOpen(db: Pick<Transaction, 'session'>, { actor }: Context): Promise<Session | null> {
  return db.session.findFirst({ where: { operator: actor.name, state: 'OPEN' }, orderBy: [{ startedAt: 'desc' }, { id: 'desc' }] })
}
