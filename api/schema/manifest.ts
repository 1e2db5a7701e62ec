import type { ManifestDevice, ManifestEntry } from '../../core/dataset.ts'
import { builder } from '../builder.ts'
import type { ManifestSource } from '../manifest.ts'
import { ReadingRef } from '../refs.ts'
import { ConnectionStateEnum } from './enums.ts'

export const ManifestEntryRef = builder.objectRef<ManifestEntry>('ManifestEntry').implement({
  fields: (t) => ({
    deviceName: t.exposeString('deviceName'),
    parameter: t.exposeString('parameter'),
    reading: t.field({ type: ReadingRef, resolve: ({ reading, unit }) => ({ ...reading, unit }) }),
  }),
})

const ManifestDeviceRef = builder.objectRef<ManifestDevice>('ManifestDevice').implement({
  description: 'A registered device at that moment. One that its station had not met yet has no parameters in the manifest: connection and reason say why.',
  fields: (t) => ({
    deviceName: t.exposeString('deviceName'),
    driverId: t.exposeString('driverId'),
    connection: t.expose('connection', { type: ConnectionStateEnum }),
    connectionReason: t.exposeString('connectionReason', { nullable: true }),
  }),
})

export const ManifestRef = builder.objectRef<ManifestSource>('Manifest').implement({
  description: "What was true at one moment: every parameter, every driver and its version, the software's own version and commit.",
  fields: (t) => ({
    takenAt: t.field({ type: 'Time', resolve: ({ takenAt }) => takenAt }),
    devices: t.expose('devices', {
      type: [ManifestDeviceRef],
      nullable: true,
      complexity: { field: 1, multiplier: 50 },
      description: 'null in a manifest from before they were kept.',
    }),
    parameters: t.field({ type: [ManifestEntryRef], complexity: { field: 1, multiplier: 50 }, resolve: ({ parameters }) => parameters }),
    software: t.field({
      type: 'JSON',
      description: 'version, commit, node, and drivers: the version of each by its id, "unknown" where the driver was not there.',
      resolve: ({ software }) => software,
    }),
    sha256: t.exposeString('sha256', { description: 'Of the file at url: the manifest as JSON with sorted keys.' }),
    url: t.exposeString('url'),
  }),
})
