import { CAPABILITIES, type Capability } from '../../core/capability.ts'
import type { ProblemCode, ProblemFacts, ProblemRecord } from '../../core/errors.ts'
import { NotFound, Problem, problemFromRecord } from '../../core/errors.ts'
import { parseRfc3339 } from '../../core/time.ts'
import { builder, type Ref } from '../builder.ts'
import type { Context } from '../context.ts'
import { globalId } from '../global-id.ts'
import type { Device, Station } from '../loaders.ts'
import { parameterOf } from '../parameters.ts'
import { DeviceRef, EmergencyStopRef, NodeRef, ParameterRef, ProblemRef, RunRef, StationRef } from '../refs.ts'
import { CapabilityEnum } from './enums.ts'
import { findNode } from './node.ts'

/** The problems that can occur, by their code; each is a type of its own in the contract. */
const TYPE_OF_CODE = {
  STATION_OFFLINE: 'StationOffline',
  DEVICE_BUSY: 'DeviceBusy',
  INVALID_VALUE: 'InvalidValue',
  LIMIT_VIOLATION: 'LimitViolation',
  READ_ONLY: 'ReadOnlyParameter',
  INCOMPATIBLE_UNIT: 'IncompatibleUnit',
  NOT_FOUND: 'NotFound',
  NOT_SUPPORTED: 'NotSupported',
  DEVICE_OFFLINE: 'DeviceOffline',
  EMERGENCY_STOPPED: 'EmergencyStopped',
  HARDWARE_FAULT: 'HardwareFault',
  DEADLINE_EXCEEDED: 'DeadlineExceeded',
  FORBIDDEN: 'Forbidden',
  CONFLICT: 'Conflict',
  PLAN_REJECTED: 'PlanRejected',
  STORAGE_FULL: 'StorageFull',
} as const satisfies Partial<Record<ProblemCode, string>>
export type ServedCode = keyof typeof TYPE_OF_CODE

function isServed(code: ProblemCode): code is ServedCode {
  return code in TYPE_OF_CODE
}

const ProblemCodeEnum = builder.enumType('ProblemCode', { values: Object.keys(TYPE_OF_CODE) as ServedCode[] })
const EffectEnum = builder.enumType('Effect', {
  values: ['NONE', 'POSSIBLE', 'DONE'] as const,
  description: 'Whether the hardware may have acted: decides whether trying again is safe.',
})

ProblemRef.implement({
  resolveType: ({ code }) => (isServed(code) ? TYPE_OF_CODE[code] : 'HardwareFault'),
  fields: (t) => ({
    message: t.exposeString('message'),
    code: t.field({ type: ProblemCodeEnum, resolve: ({ code }) => (isServed(code) ? code : 'HARDWARE_FAULT') }),
  }),
})

const problem = (code: ServedCode) => builder.objectRef<ProblemRecord>(TYPE_OF_CODE[code])
const PROBLEMS: Readonly<Record<ServedCode, Ref<ProblemRecord>>> = {
  STATION_OFFLINE: problem('STATION_OFFLINE').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({
      station: t.field({ type: StationRef, resolve: ({ facts }, _args, context) => stationOf(facts, context) }),
      since: t.field({ type: 'Time', nullable: true, resolve: ({ facts }) => sinceOf(facts) }),
    }),
  }),
  DEVICE_BUSY: problem('DEVICE_BUSY').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({
      device: t.field({ type: DeviceRef, resolve: ({ facts }, _args, context) => deviceOf(facts, context) }),
      run: t.field({
        type: RunRef,
        nullable: true,
        resolve: async ({ facts }, _args, { load }) => (facts.runId === undefined ? null : ((await load.run.load(facts.runId)) ?? null)),
      }),
    }),
  }),
  INVALID_VALUE: problem('INVALID_VALUE').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({ path: t.stringList({ resolve: ({ facts }) => facts.path ?? [] }) }),
  }),
  LIMIT_VIOLATION: problem('LIMIT_VIOLATION').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({
      given: t.float({ resolve: ({ facts }) => facts.given ?? Number.NaN }),
      minimum: t.float({ nullable: true, resolve: ({ facts }) => facts.minimum ?? null }),
      maximum: t.float({ nullable: true, resolve: ({ facts }) => facts.maximum ?? null }),
      unit: t.string({ nullable: true, resolve: ({ facts }) => facts.unit ?? null }),
      parameter: t.field({ type: ParameterRef, nullable: true, resolve: ({ facts }, _args, context) => parameterOfFacts(facts, context) }),
    }),
  }),
  READ_ONLY: problem('READ_ONLY').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({ parameter: t.field({ type: ParameterRef, nullable: true, resolve: ({ facts }, _args, context) => parameterOfFacts(facts, context) }) }),
  }),
  INCOMPATIBLE_UNIT: problem('INCOMPATIBLE_UNIT').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({
      givenUnit: t.string({ resolve: ({ facts }) => facts.givenUnit ?? '' }),
      expectedUnit: t.string({ resolve: ({ facts }) => facts.expectedUnit ?? '' }),
    }),
  }),
  NOT_FOUND: problem('NOT_FOUND').implement({ interfaces: [ProblemRef], fields: (t) => ({ what: t.string({ resolve: ({ facts }) => facts.what ?? '' }) }) }),
  NOT_SUPPORTED: problem('NOT_SUPPORTED').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({
      capability: t.field({
        type: CapabilityEnum,
        nullable: true,
        resolve: ({ facts }) => CAPABILITIES.find((known): known is Capability => known === facts.capability) ?? null,
      }),
    }),
  }),
  DEVICE_OFFLINE: problem('DEVICE_OFFLINE').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({
      device: t.field({ type: DeviceRef, resolve: ({ facts }, _args, context) => deviceOf(facts, context) }),
      since: t.field({ type: 'Time', nullable: true, resolve: ({ facts }) => sinceOf(facts) }),
    }),
  }),
  EMERGENCY_STOPPED: problem('EMERGENCY_STOPPED').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({ emergencyStop: t.field({ type: EmergencyStopRef, resolve: ({ facts }, _args, { stations }) => stoppedState(facts, stations) }) }),
  }),
  HARDWARE_FAULT: problem('HARDWARE_FAULT').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({
      device: t.field({ type: DeviceRef, resolve: ({ facts }, _args, context) => deviceOf(facts, context) }),
      instrumentCode: t.string({ nullable: true, resolve: ({ facts }) => facts.instrumentCode ?? null }),
      effect: t.field({ type: EffectEnum, resolve: ({ facts }) => facts.effect ?? 'NONE' }),
    }),
  }),
  DEADLINE_EXCEEDED: problem('DEADLINE_EXCEEDED').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({
      deadlineMs: t.int({ resolve: ({ facts }) => Math.round(facts.deadlineMs ?? 0) }),
      effect: t.field({ type: EffectEnum, resolve: ({ facts }) => facts.effect ?? 'NONE' }),
    }),
  }),
  FORBIDDEN: problem('FORBIDDEN').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({ needed: t.string({ resolve: ({ facts }) => facts.needed ?? '' }) }),
  }),
  CONFLICT: problem('CONFLICT').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({
      current: t.field({ type: NodeRef, nullable: true, resolve: async ({ facts }, _args, context) => (await currentOf(facts, context)) ?? null }),
    }),
  }),
  PLAN_REJECTED: problem('PLAN_REJECTED').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({ reasons: t.stringList({ resolve: ({ facts }) => facts.reasons ?? [] }) }),
  }),
  STORAGE_FULL: problem('STORAGE_FULL').implement({
    interfaces: [ProblemRef],
    fields: (t) => ({
      neededBytes: t.field({ type: 'SafeInt', resolve: ({ facts }) => facts.neededBytes ?? 0 }),
      freeBytes: t.field({ type: 'SafeInt', resolve: ({ facts }) => facts.freeBytes ?? 0 }),
    }),
  }),
}

/** A mutation's answer: what was asked for, or one of the problems that can stand in its way. */
export function resultUnion<Payload extends object>(name: string, payload: Ref<Payload>, codes: readonly ServedCode[]) {
  return builder.unionType(name, {
    types: [payload, ...codes.map((code) => PROBLEMS[code])],
    resolveType: (value) => (isRecord(value) ? typeIn(codes, value) : payload),
  })
}

/** No payload has both. */
function isRecord(value: object): value is ProblemRecord {
  return 'facts' in value && 'code' in value
}

function typeIn(codes: readonly ServedCode[], record: ProblemRecord): Ref<ProblemRecord> {
  const code = codes.find((candidate) => candidate === record.code)
  if (code === undefined) throw problemFromRecord(record) // a failure that this answer cannot hold becomes an error with its code
  return PROBLEMS[code]
}

/** Expected failures are data: a Problem thrown on the way becomes the answer (as its record, because GraphQL throws whatever is an Error). */
export async function answer<Payload>(work: () => Payload | Promise<Payload>): Promise<Payload | ProblemRecord> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Problem) return error.toRecord()
    throw error
  }
}

async function stationOf(facts: ProblemFacts, { load }: Context): Promise<Station> {
  const station = facts.stationId === undefined ? undefined : await load.station.load(facts.stationId)
  if (station === undefined) throw new NotFound('station of this problem')
  return station
}

async function deviceOf(facts: ProblemFacts, { load }: Context): Promise<Device> {
  const device = facts.deviceId === undefined ? undefined : await load.device.load(facts.deviceId)
  if (device === undefined) throw new NotFound('device of this problem')
  return device
}

async function parameterOfFacts({ deviceId, parameter }: ProblemFacts, context: Context) {
  const device = deviceId === undefined ? undefined : await context.load.device.load(deviceId)
  return device === undefined || parameter === undefined ? null : ((await parameterOf(device, parameter, context)) ?? null)
}

function sinceOf({ since }: ProblemFacts): bigint | null {
  return since === undefined ? null : (parseRfc3339(since) ?? null)
}

function stoppedState(facts: ProblemFacts, stations: Context['stations']) {
  const stopped = facts.stationId === undefined ? stations.all().find(({ emergencyStop }) => emergencyStop.active) : stations.find(facts.stationId)
  return stopped?.emergencyStop ?? { active: true }
}

async function currentOf({ sessionId, runId, jobId, presetId, deviceId }: ProblemFacts, context: Context) {
  if (sessionId !== undefined) return findNode(globalId('Session', sessionId), context)
  if (runId !== undefined) return findNode(globalId('Run', runId), context)
  if (jobId !== undefined) return findNode(globalId('Job', jobId), context)
  if (presetId !== undefined) return findNode(globalId('Preset', presetId), context)
  return deviceId === undefined ? undefined : findNode(globalId('Device', deviceId), context)
}
