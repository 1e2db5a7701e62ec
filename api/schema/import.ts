import { IMPORT_FOLDER, IMPORT_FORMATS } from '../../core/import.ts'
import { builder } from '../builder.ts'
import { requestImport } from '../jobs/import.ts'
import { JobResult } from './job.ts'
import { answer } from './problem.ts'

const ColumnInputRef = builder.inputType('ColumnInput', {
  description: 'A column whose UCUM unit the file does not tell, or tells wrongly.',
  fields: (t) => ({ name: t.string({ required: true }), unit: t.string(), type: t.string() }),
})

const ImportInputRef = builder.inputType('ImportInput', {
  description:
    `A file of another program. format: ${IMPORT_FORMATS.join(', ')}. url: import:<path below ${IMPORT_FOLDER}/ of the data folder>, then options: ?timeZone=Europe/Paris ` +
    '(of times without a zone), &station=<name>, &register=true (devices are registered; without it they are only proposed in the log). ' +
    'The same file again adds nothing.',
  fields: (t) => ({
    name: t.string({ required: true }),
    format: t.id({ required: true }),
    url: t.string({ required: true }),
    sessionId: t.id(),
    columns: t.field({ type: [ColumnInputRef] }),
    idempotencyKey: t.string(),
  }),
})

builder.mutationField('requestImport', (t) =>
  t.field({
    type: JobResult,
    args: { input: t.arg({ type: ImportInputRef, required: true }) },
    resolve: (_root, { input }, context) => answer(() => requestImport(input, context)),
  }),
)
