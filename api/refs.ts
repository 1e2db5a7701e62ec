import type { DeviceRecord, EmergencyStopState, PortState } from '../core/device.ts'
import type { ProblemRecord } from '../core/errors.ts'
import type { ParameterSpec } from '../core/parameter.ts'
import type { Reading } from '../core/reading.ts'
import { builder } from './builder.ts'
import { connectionRef } from './connection.ts'
import type { Dataset, Device, Job, Note, Port, Preset, Run, Session, Station } from './loaders.ts'

/**
 * The nouns that point at one another, by name and by what stands behind them. Their fields are in schema/, one file each; they are named here so that
 * no two of those files need each other.
 */
export const NodeRef = builder.interfaceRef<{ readonly id: string }>('Node')
export const ProblemRef = builder.interfaceRef<ProblemRecord>('Problem')

export const StationRef = builder.objectRef<Station>('Station')
export const PortRef = builder.objectRef<PortSource>('Port')
export const DeviceRef = builder.objectRef<Device>('Device')
export const ParameterRef = builder.objectRef<ParameterSource>('Parameter')
export const ReadingRef = builder.objectRef<ReadingSource>('Reading')
export const EmergencyStopRef = builder.objectRef<EmergencyStopState>('EmergencyStop')
export const SessionRef = builder.objectRef<Session>('Session')
export const NoteRef = builder.objectRef<Note>('Note')
export const RunRef = builder.objectRef<Run>('Run')
export const DatasetRef = builder.objectRef<Dataset>('Dataset')
export const JobRef = builder.objectRef<Job>('Job')
export const PresetRef = builder.objectRef<Preset>('Preset')

export const DeviceConnectionRef = connectionRef('Device', DeviceRef, { counted: true })
export const SessionConnectionRef = connectionRef('Session', SessionRef, { counted: true })
export const RunConnectionRef = connectionRef('Run', RunRef, { counted: true })
export const DatasetConnectionRef = connectionRef('Dataset', DatasetRef, { counted: true })

/** `found`: it was discovered and no device is registered on it, so no row stands behind it; its `id` is "<station id>/<address>". */
export type PortSource = Port & { readonly found?: Pick<PortState, 'path' | 'serialNumber' | 'vendor'> }
/** `id` is "<device id>/<name>". */
export type ParameterSource = { readonly id: string; readonly device: Pick<DeviceRecord, 'id' | 'stationId'>; readonly spec: ParameterSpec }
/** A reading whose number is in `unit`. */
export type ReadingSource = Reading & { readonly unit?: string | undefined }
