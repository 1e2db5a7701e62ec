import type { ManifestEntry } from '../../core/dataset.ts'
import { builder } from '../builder.ts'
import type { ManifestSource } from '../manifest.ts'
import { ReadingRef } from '../refs.ts'

export const ManifestEntryRef = builder.objectRef<ManifestEntry>('ManifestEntry').implement({
  fields: (t) => ({
    deviceName: t.exposeString('deviceName'),
    parameter: t.exposeString('parameter'),
    reading: t.field({ type: ReadingRef, resolve: ({ reading, unit }) => ({ ...reading, unit }) }),
  }),
})

export const ManifestRef = builder.objectRef<ManifestSource>('Manifest').implement({
  description: "What was true at one moment: every parameter, every driver and its version, the software's own version and commit.",
  fields: (t) => ({
    takenAt: t.field({ type: 'Time', resolve: ({ takenAt }) => takenAt }),
    parameters: t.field({ type: [ManifestEntryRef], complexity: { field: 1, multiplier: 50 }, resolve: ({ parameters }) => parameters }),
    software: t.field({ type: 'JSON', resolve: ({ software }) => software }),
    sha256: t.exposeString('sha256', { description: 'Of the file at url: the manifest as JSON with sorted keys.' }),
    url: t.exposeString('url'),
  }),
})
