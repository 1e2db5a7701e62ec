import { CAPABILITIES } from '../../core/capability.ts'
import { ROLES } from '../../core/cause.ts'
import { EVENT_KINDS } from '../../core/event.ts'
import { QUALITIES } from '../../core/reading.ts'
import { RUN_STATES } from '../../core/run.ts'
import { builder } from '../builder.ts'

/** Choices that several nouns share. Those of one noun stand in its file. */
export const CapabilityEnum = builder.enumType('Capability', { values: CAPABILITIES })
export const PortKindEnum = builder.enumType('PortKind', {
  values: ['SERIAL', 'RS485', 'TCP', 'MODBUS_TCP', 'MODBUS_RTU', 'USB', 'SPI', 'NATIVE', 'SIMULATED'] as const,
})
export const ConnectionStateEnum = builder.enumType('ConnectionState', {
  values: ['DISCONNECTED', 'CONNECTING', 'CONNECTED', 'RECONNECTING', 'FAILED'] as const,
})
export const ParameterKindEnum = builder.enumType('ParameterKind', { values: ['FLOAT', 'INTEGER', 'BOOLEAN', 'TEXT', 'ENUM', 'LIST'] as const })
export const QualityEnum = builder.enumType('Quality', { values: QUALITIES })
export const RunStateEnum = builder.enumType('RunState', { values: RUN_STATES })
export const DatasetKindEnum = builder.enumType('DatasetKind', { values: ['TABLE', 'FRAMES'] as const })
export const DatasetStateEnum = builder.enumType('DatasetState', { values: ['RECORDING', 'COMPLETE', 'RECOVERED', 'FAILED', 'ARCHIVED'] as const })
export const ReductionEnum = builder.enumType('Reduction', {
  values: ['NONE', 'MIN_MAX', 'LTTB', 'MEAN', 'FIRST', 'LAST'] as const,
  description: 'min and max per bin keep every spike; lttb keeps the look of the line.',
})
export const FrameQualityEnum = builder.enumType('FrameQuality', {
  values: ['FULL', 'PREVIEW', 'FAST'] as const,
  description: 'FULL: every pixel. PREVIEW: 2x2 mean. FAST: 4x4 mean.',
})
export const HealthStateEnum = builder.enumType('HealthState', { values: ['OK', 'DEGRADED', 'DOWN'] as const })
export const RoleEnum = builder.enumType('Role', { values: ROLES })
export const EventKindEnum = builder.enumType('EventKind', { values: EVENT_KINDS })
