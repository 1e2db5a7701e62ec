import { InvalidValue, NotFound } from '../../core/errors.ts'
import { appendEvents } from '../../prisma/events.ts'
import { need } from '../actor.ts'
import { builder } from '../builder.ts'
import { type Context, causeOf } from '../context.ts'
import { globalId, localId } from '../global-id.ts'
import type { Note } from '../loaders.ts'
import { nowNs } from '../now.ts'
import { NoteRef } from '../refs.ts'
import { answer, resultUnion } from './problem.ts'

const MAX_NOTE_LENGTH = 20_000 // some pages; what is longer is a file

NoteRef.implement({
  fields: (t) => ({
    id: t.id({ resolve: ({ id }) => globalId('Note', id) }),
    time: t.field({ type: 'Time', resolve: ({ time }) => time }),
    author: t.exposeString('author'),
    text: t.exposeString('text'),
    tags: t.exposeStringList('tags'),
  }),
})

const AnnotateInputRef = builder.inputType('AnnotateInput', {
  description: 'What the note is about: one of sessionId, runId and datasetId. A note on a run or a dataset also stands in its session.',
  fields: (t) => ({ sessionId: t.id(), runId: t.id(), datasetId: t.id(), text: t.string({ required: true }), tags: t.stringList() }),
})
const AnnotateResult = resultUnion('AnnotateResult', NoteRef, ['INVALID_VALUE', 'NOT_FOUND', 'FORBIDDEN'])

builder.mutationField('annotate', (t) =>
  t.field({
    type: AnnotateResult,
    args: { input: t.arg({ type: AnnotateInputRef, required: true }) },
    resolve: (_root, { input }, context) => answer(() => annotate(input, context)),
  }),
)

async function annotate({ sessionId, runId, datasetId, text, tags }: typeof AnnotateInputRef.$inferInput, context: Context): Promise<Note> {
  need(context, 'OPERATOR')
  if (text.trim() === '' || text.length > MAX_NOTE_LENGTH) throw new InvalidValue(`text: give 1 to ${MAX_NOTE_LENGTH} characters`, ['input', 'text'])
  const subject = await subjectOf({ sessionId, runId, datasetId }, context)
  return context.database.prisma.$transaction(async (tx) => {
    const note = await tx.note.create({ data: { ...subject, author: context.actor.name, text, tags: tags ?? [], time: new Date() } })
    await appendEvents(tx, [
      {
        time: nowNs(),
        kind: 'SESSION',
        ...(subject.sessionId !== null && { subject: { type: 'Session' as const, id: subject.sessionId }, sessionId: subject.sessionId }),
        ...(subject.runId !== undefined && { runId: subject.runId }),
        summary: `${context.actor.name} noted: ${text.slice(0, 200)}`,
        cause: causeOf(context),
      },
    ])
    return note
  })
}

type Subject = { readonly sessionId: string | null; readonly runId?: string; readonly datasetId?: string }

async function subjectOf(
  given: { sessionId?: string | null | undefined; runId?: string | null | undefined; datasetId?: string | null | undefined },
  { load }: Context,
): Promise<Subject> {
  const { sessionId, runId, datasetId } = given
  if ([sessionId, runId, datasetId].filter((id) => id != null).length !== 1) throw new InvalidValue('give one of sessionId, runId and datasetId', ['input'])
  if (runId != null) {
    const run = await load.run.load(localId('Run', runId))
    if (run === undefined) throw new NotFound(`run with the id ${runId}`)
    return { sessionId: run.sessionId, runId: run.id }
  }
  if (datasetId != null) {
    const dataset = await load.dataset.load(localId('Dataset', datasetId))
    if (dataset === undefined) throw new NotFound(`dataset with the id ${datasetId}`)
    return { sessionId: dataset.sessionId, datasetId: dataset.id }
  }
  const session = await load.session.load(localId('Session', sessionId ?? ''))
  if (session === undefined) throw new NotFound(`session with the id ${sessionId}`)
  return { sessionId: session.id }
}
