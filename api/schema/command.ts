import type { CommandAnswer, CommandCall, CommandProgress, CommandReading, CommandState } from '../../core/command.ts'
import { InvalidValue, NotFound } from '../../core/errors.ts'
import type { ParameterValue } from '../../core/reading.ts'
import { builder } from '../builder.ts'
import { type Commanded, type CommandOptionsGiven, command } from '../commands.ts'
import type { Context } from '../context.ts'
import type { Device } from '../loaders.ts'
import { nowNs } from '../now.ts'
import { parameterOf } from '../parameters.ts'
import { DeviceRef, ProblemRef } from '../refs.ts'
import { commandSource } from '../subscriptions/command.ts'
import { namedValues, parameterValue } from '../values.ts'
import { type StateEntry, StateEntryRef } from './lab-state.ts'
import { answer, resultUnion, type ServedCode } from './problem.ts'
import { RoiInputRef } from './roi-input.ts'
import { NamedValueInputRef, ValueInputRef } from './value-input.ts'

const CommandStateEnum = builder.enumType('CommandState', { values: ['ACCEPTED', 'DONE'] as const })
type CommandPayload = {
  readonly device: Device
  readonly state: CommandState
  readonly readings: readonly CommandReading[]
  readonly value: ParameterValue | undefined
  readonly elapsedMs: number
  readonly requestId: string
}
const CommandPayloadRef = builder.objectRef<CommandPayload>('CommandPayload').implement({
  description: "DONE: the instrument's own answer confirms it. ACCEPTED (wait: false): it is on the wire; follow it with the subscription command(requestId).",
  fields: (t) => ({
    device: t.field({ type: DeviceRef, resolve: ({ device }) => device }),
    state: t.field({ type: CommandStateEnum, resolve: ({ state }) => state }),
    readings: t.field({ type: [StateEntryRef], resolve: ({ readings }, _args, context) => entriesOf(readings, context) }),
    value: t.field({ type: 'Value', nullable: true, description: 'What a command of the driver answered with.', resolve: ({ value }) => value ?? null }),
    elapsedMs: t.exposeFloat('elapsedMs'),
    requestId: t.exposeID('requestId'),
  }),
})
const CommandsPayloadRef = builder.objectRef<{ readonly commands: readonly CommandPayload[] }>('CommandsPayload').implement({
  fields: (t) => ({ commands: t.field({ type: [CommandPayloadRef], resolve: ({ commands }) => commands }) }),
})
const CommandProgressRef = builder.objectRef<CommandProgress>('CommandProgress').implement({
  fields: (t) => ({
    requestId: t.exposeID('requestId'),
    state: t.field({ type: CommandStateEnum, resolve: ({ state }) => state }),
    readings: t.field({ type: [StateEntryRef], resolve: ({ readings }, _args, context) => entriesOf(readings, context) }),
    problem: t.field({
      type: ProblemRef,
      nullable: true,
      resolve: ({ problem, readings }) =>
        problem === undefined ? null : { ...problem, facts: { ...(readings[0] && { deviceId: readings[0].deviceId }), ...problem.facts } },
    }),
    done: t.exposeBoolean('done'),
  }),
})

const CODES = [
  'INVALID_VALUE',
  'LIMIT_VIOLATION',
  'READ_ONLY',
  'INCOMPATIBLE_UNIT',
  'NOT_FOUND',
  'NOT_SUPPORTED',
  'DEVICE_OFFLINE',
  'STATION_OFFLINE',
  'DEVICE_BUSY',
  'EMERGENCY_STOPPED',
  'HARDWARE_FAULT',
  'DEADLINE_EXCEEDED',
  'FORBIDDEN',
  'CONFLICT',
] as const satisfies readonly ServedCode[]
const CommandResult = resultUnion('CommandResult', CommandPayloadRef, CODES)
const CommandsResult = resultUnion('CommandsResult', CommandsPayloadRef, CODES)

const CommandOptionsRef = builder.inputType('CommandOptions', {
  description:
    'acceptWithinMs: refused if the station has not accepted it by then. completeWithinMs: given up (and stopped, where it moves) if not done by then; a minute by default, longer for what its device says may take longer. ' +
    'The same idempotencyKey again gives the first answer, and nothing moves twice.',
  fields: (t) => ({ idempotencyKey: t.string(), acceptWithinMs: t.int({ defaultValue: 2000 }), completeWithinMs: t.int(), reason: t.string() }),
})
const SetParameterInputRef = builder.inputType('SetParameterInput', {
  fields: (t) => ({
    deviceId: t.id({ required: true }),
    name: t.string({ required: true }),
    value: t.field({ type: ValueInputRef, required: true }),
    unit: t.string(),
    expected: t.field({ type: ValueInputRef, description: 'Refused with Conflict when the parameter is not at this value, in its own unit.' }),
    options: t.field({ type: CommandOptionsRef }),
  }),
})
const MoveInputRef = builder.inputType('MoveInput', {
  description: 'to: an absolute position. by: relative to where it stands. One of them.',
  fields: (t) => ({
    deviceId: t.id({ required: true }),
    to: t.float(),
    by: t.float(),
    unit: t.string(),
    wait: t.boolean({ defaultValue: true }),
    options: t.field({ type: CommandOptionsRef }),
  }),
})
const ConfigureCameraInputRef = builder.inputType('ConfigureCameraInput', {
  fields: (t) => ({
    deviceId: t.id({ required: true }),
    exposureSeconds: t.float(),
    roi: t.field({ type: RoiInputRef }),
    binning: t.int(),
    options: t.field({ type: CommandOptionsRef }),
  }),
})

builder.mutationFields((t) => {
  const args = { deviceId: t.arg.id({ required: true }), options: t.arg({ type: CommandOptionsRef }) }
  /** Commands that need nothing but the device. */
  const plain = (call: CommandCall) =>
    t.field({ type: CommandResult, args, resolve: (_root, { deviceId, options }, context) => answer(() => commandOne(context, deviceId, call, options)) })
  return {
    setParameter: t.field({
      type: CommandResult,
      args: { input: t.arg({ type: SetParameterInputRef, required: true }) },
      resolve: (_root, { input }, context) => answer(() => commandOne(context, input.deviceId, setCall(input), input.options)),
    }),
    setParameters: t.field({
      type: CommandsResult,
      description: 'Together, in the order given, all checked before the first is written. The options of the first are those of all.',
      args: { inputs: t.arg({ type: [SetParameterInputRef], required: true }) },
      resolve: (_root, { inputs }, context) =>
        answer(async () =>
          commandsOf(
            await command(
              context,
              inputs.map((input) => ({ deviceId: input.deviceId, call: setCall(input) })),
              'sequence',
              inputs[0]?.options,
            ),
          ),
        ),
    }),
    refreshParameters: t.field({
      type: CommandResult,
      description: 'Reads them from the instrument now; all of them where no names are given.',
      args: { ...args, names: t.arg.stringList() },
      resolve: (_root, { deviceId, names, options }, context) =>
        answer(() => commandOne(context, deviceId, { kind: 'refresh', ...(names != null && { names }) }, options)),
    }),
    move: t.field({
      type: CommandResult,
      args: { input: t.arg({ type: MoveInputRef, required: true }) },
      resolve: (_root, { input }, context) => answer(() => commandOne(context, input.deviceId, moveCall(input), input.options)),
    }),
    moveMany: t.field({
      type: CommandsResult,
      description: 'All checked, then started together. The options of the first are those of all.',
      args: { inputs: t.arg({ type: [MoveInputRef], required: true }) },
      resolve: (_root, { inputs }, context) =>
        answer(async () =>
          commandsOf(
            await command(
              context,
              inputs.map((input) => ({ deviceId: input.deviceId, call: moveCall(input) })),
              'together',
              inputs[0]?.options,
            ),
          ),
        ),
    }),
    home: t.field({
      type: CommandResult,
      args: { ...args, wait: t.arg.boolean({ defaultValue: true }) },
      resolve: (_root, { deviceId, wait, options }, context) => answer(() => commandOne(context, deviceId, { kind: 'home', wait: wait ?? true }, options)),
    }),
    stop: t.field({
      type: CommandResult,
      description: 'Decelerated; overtakes what waits on the port.',
      args: { deviceId: t.arg.id({ required: true }) },
      resolve: (_root, { deviceId }, context) => answer(() => commandOne(context, deviceId, { kind: 'stop' }, undefined)),
    }),
    read: plain({ kind: 'read' }),
    trigger: t.field({
      type: CommandResult,
      args: { ...args, frames: t.arg.int({ defaultValue: 1 }) },
      resolve: (_root, { deviceId, frames, options }, context) =>
        answer(() => commandOne(context, deviceId, { kind: 'trigger', frames: frames ?? 1 }, options)),
    }),
    configureCamera: t.field({
      type: CommandResult,
      args: { input: t.arg({ type: ConfigureCameraInputRef, required: true }) },
      resolve: (_root, { input: { deviceId, exposureSeconds, roi, binning, options } }, context) =>
        answer(() =>
          commandOne(
            context,
            deviceId,
            { kind: 'configureCamera', ...(exposureSeconds != null && { exposureSeconds }), ...(roi != null && { roi }), ...(binning != null && { binning }) },
            options,
          ),
        ),
    }),
    setShutter: t.field({
      type: CommandResult,
      description: 'Answers when the instrument says that it is open or closed.',
      args: { ...args, open: t.arg.boolean({ required: true }) },
      resolve: (_root, { deviceId, open, options }, context) => answer(() => commandOne(context, deviceId, { kind: 'setShutter', open }, options)),
    }),
    setEmission: t.field({
      type: CommandResult,
      args: { ...args, on: t.arg.boolean({ required: true }) },
      resolve: (_root, { deviceId, on, options }, context) => answer(() => commandOne(context, deviceId, { kind: 'setEmission', on }, options)),
    }),
    setWavelength: t.field({
      type: CommandResult,
      description: 'wait: answers when the instrument has arrived there.',
      args: { ...args, value: t.arg.float({ required: true }), unit: t.arg.string({ defaultValue: 'nm' }), wait: t.arg.boolean({ defaultValue: true }) },
      resolve: (_root, { deviceId, value, unit, wait, options }, context) =>
        answer(() => commandOne(context, deviceId, { kind: 'setWavelength', value, unit: unit ?? 'nm', wait: wait ?? true }, options)),
    }),
    invoke: t.field({
      type: CommandResult,
      description: "One of the device's own commands; answers when it is done.",
      args: { ...args, command: t.arg.string({ required: true }), arguments: t.arg({ type: [NamedValueInputRef] }) },
      resolve: (_root, { deviceId, command: name, arguments: given, options }, context) =>
        answer(() => commandOne(context, deviceId, { kind: 'invoke', command: name, arguments: namedValues(given, 'arguments') }, options)),
    }),
    startLive: plain({ kind: 'startLive' }),
    stopLive: plain({ kind: 'stopLive' }),
  }
})

builder.subscriptionField('command', (t) =>
  t.field({
    type: CommandProgressRef,
    description: 'The progress of one command that was started with wait: false.',
    args: { requestId: t.arg.id({ required: true }) },
    subscribe: (_root, { requestId }, context) => commandSource(requestId, context),
    resolve: (progress) => progress,
  }),
)

function setCall({ name, value, unit, expected }: typeof SetParameterInputRef.$inferInput): CommandCall {
  return {
    kind: 'set',
    name,
    value: parameterValue(value, name),
    ...(unit != null && { unit }),
    ...(expected != null && { expected: parameterValue(expected, 'expected') }),
  }
}

function moveCall({ to, by, unit, wait }: typeof MoveInputRef.$inferInput): CommandCall {
  if ((to == null) === (by == null)) throw new InvalidValue('give one of to and by', ['to', 'by'])
  return { kind: 'move', ...(to != null && { to }), ...(by != null && { by }), ...(unit != null && { unit }), wait: wait ?? true }
}

async function commandOne(context: Context, deviceId: string, call: CommandCall, options: CommandOptionsGiven | null | undefined): Promise<CommandPayload> {
  const done = await command(context, [{ deviceId, call }], 'sequence', options)
  const [payload] = commandsOf(done).commands
  if (payload === undefined) throw new NotFound('answer of the station')
  return payload
}

function commandsOf({ answer, devices }: Commanded): { readonly commands: readonly CommandPayload[] } {
  return {
    commands: answer.results.flatMap((result) => {
      const device = devices.get(result.deviceId)
      return device === undefined ? [] : [payloadOf(answer, device, result)]
    }),
  }
}

function payloadOf({ state, elapsedMs, requestId }: CommandAnswer, device: Device, { readings, value }: CommandAnswer['results'][number]): CommandPayload {
  return { device, state, readings, value, elapsedMs, requestId }
}

/** What was measured; a setpoint is the parameter's own field. */
async function entriesOf(readings: readonly CommandReading[], context: Context): Promise<StateEntry[]> {
  const at = nowNs()
  const measured = readings.filter(({ setpoint }) => setpoint !== true)
  const entries = await Promise.all(
    measured.map(async ({ deviceId, parameter: name, reading }) => {
      const device = await context.load.device.load(deviceId)
      const parameter = device && (await parameterOf(device, name, context))
      return device === undefined || parameter === undefined ? [] : [{ device, parameter, reading: { ...reading, unit: parameter.spec.unit }, at }]
    }),
  )
  return entries.flat()
}
