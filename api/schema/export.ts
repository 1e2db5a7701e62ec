import type { DatasetFile } from '../../core/dataset.ts'
import type { ExportFormatSpec } from '../../core/job.ts'
import { FORMATS, formatNamed } from '../../storage/formats/index.ts'
import { builder } from '../builder.ts'
import { exportFileUrl } from '../file-urls.ts'
import type { Export } from '../loaders.ts'
import { DataFileRef, DatasetFilterRef } from './dataset.ts'
import { DatasetKindEnum } from './enums.ts'

const ExportFormatRef = builder.objectRef<ExportFormatSpec>('ExportFormat').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    label: t.exposeString('label'),
    extension: t.exposeString('extension'),
    mediaType: t.exposeString('mediaType'),
    kinds: t.field({ type: [DatasetKindEnum], resolve: ({ kinds }) => kinds }),
  }),
})

export const ExportRef = builder.objectRef<Export>('Export').implement({
  description: 'The finished files with a sha256sum-compatible manifest.',
  fields: (t) => ({
    format: t.field({ type: ExportFormatRef, resolve: ({ format }) => formatNamed(format) }),
    files: t.field({
      type: [DataFileRef],
      resolve: ({ id, files }) => (files as unknown as DatasetFile[]).map((file) => ({ ...file, url: exportFileUrl(id, file.name) })),
    }),
    manifestUrl: t.string({ resolve: ({ id, manifest }) => exportFileUrl(id, manifest) }),
    bytes: t.field({ type: 'SafeInt', resolve: ({ bytes }) => bytes }),
    expiresAt: t.field({ type: 'Time', nullable: true, resolve: ({ expiresAt }) => expiresAt }),
  }),
})

builder.queryField('exportFormats', (t) => t.field({ type: [ExportFormatRef], resolve: () => FORMATS }))

export const ExportInputRef = builder.inputType('ExportInput', {
  description: 'datasetIds, or a selection of them. columns: the names wanted, in that order; all without. The same idempotencyKey again gives the first job.',
  fields: (t) => ({
    datasetIds: t.idList(),
    selection: t.field({ type: DatasetFilterRef }),
    format: t.id({ required: true }),
    columns: t.stringList(),
    idempotencyKey: t.string(),
    priority: t.int(),
  }),
})
