import type { CommandCall, CommandReading } from '../../../core/command.ts'
import { Conflict, InvalidValue, NotSupported } from '../../../core/errors.ts'
import { checkValue } from '../../../core/parameter.ts'
import type { ParameterValue } from '../../../core/reading.ts'
import { prepareCamera } from './camera-steps.ts'
import { prepareEmission, prepareInvoke, prepareShutter, prepareWavelength } from './facet-steps.ts'
import { prepareHome, prepareMove, prepareStop } from './motion-steps.ts'
import type { StationDevice } from './station-device.ts'
import { entry, need, readings, type Step, type StepContext } from './step.ts'

const MAX_FRAMES = 1_000_000 // of one trigger; more is a recording

/** Everything that can be refused is refused here, before any call of the command is carried out. */
export async function prepare(call: CommandCall, context: StepContext): Promise<Step> {
  const { device, writer, permit, permitRelease } = context
  const change = (start: Step['start']): Step => ({ device, changes: true, wait: true, start })
  // Permitted now, and still when its turn has come: a stop or a run's claim may come in between.
  const permitted = (start: Step['start']): Step => {
    permit()
    return change(async (signal) => {
      permit()
      return await start(signal)
    })
  }
  switch (call.kind) {
    case 'move':
      permit()
      return await prepareMove(call, context)
    case 'home':
      permit()
      return prepareHome(call, context)
    case 'stop':
      return prepareStop(context)
    case 'set': {
      permit()
      device.live()
      device.controls.checkSet(call.name, call.value, call.unit)
      if (call.expected !== undefined) await expect(device, call.name, call.expected, call.unit, context.signal)
      return permitted(async (signal) => [entry(device, call.name, await device.set(call.name, call.value, call.unit, writer, signal))])
    }
    case 'refresh': {
      device.live()
      const names = call.names ?? device.table.specs.filter(({ access }) => access !== 'WRITE_ONLY').map(({ name }) => name)
      for (const name of names) if (device.spec(name).access === 'WRITE_ONLY') throw new NotSupported(`${name} of ${device.record.name} cannot be read`)
      return { device, changes: false, wait: true, start: (signal) => readings(device, names, signal) }
    }
    case 'read': {
      const parameter = need(device, device.live().handle.readout, 'READABLE', 'has no main quantity').parameter
      return { device, changes: false, wait: true, start: (signal) => readings(device, [parameter], signal) }
    }
    case 'trigger': {
      permit()
      const trigger = need(device, device.live().handle.trigger, 'TRIGGERABLE', 'cannot be triggered')
      if (!Number.isSafeInteger(call.frames) || call.frames < 1 || call.frames > MAX_FRAMES)
        throw new InvalidValue(`frames: ${call.frames} is not a whole number from 1 to ${MAX_FRAMES}`, ['frames'])
      return permitted(async (signal) => {
        await trigger.trigger(call.frames, signal)
        return []
      })
    }
    case 'configureCamera':
      permit()
      return prepareCamera(call, context, permitted)
    case 'startLive': {
      permit()
      const frames = need(device, device.live().handle.frames, 'FRAME_PRODUCER', 'is no camera')
      return permitted((signal) => touched(device, () => frames.startLive(signal)))
    }
    case 'stopLive': {
      permitRelease()
      const frames = need(device, device.live().handle.frames, 'FRAME_PRODUCER', 'is no camera')
      return change((signal) => touched(device, () => frames.stopLive(signal)))
    }
    case 'setShutter':
      permit()
      return prepareShutter(call, context)
    case 'setEmission':
      permit()
      return prepareEmission(call, context)
    case 'setWavelength':
      permit()
      return prepareWavelength(call, context)
    case 'invoke':
      permit()
      return prepareInvoke(call, context)
    case 'connect':
      return change(async (signal) => {
        device.connect()
        await device.untilConnected(signal)
        return []
      })
    case 'disconnect':
      permitRelease()
      return change(async (signal) => {
        if (device.moving) await device.stop(signal)
        await device.disconnect()
        return []
      })
  }
}

/** Another's change in between is a conflict, found by asking the instrument, not our memory. */
async function expect(device: StationDevice, name: string, expected: ParameterValue, unit: string | undefined, signal: AbortSignal): Promise<void> {
  const spec = device.spec(name)
  if (spec.access === 'WRITE_ONLY') throw new NotSupported(`${name} of ${device.record.name} cannot be read, so nothing can be expected of it`)
  const wanted = checkValue({ ...spec, access: 'READ_WRITE' }, expected, unit)
  const present = (await device.readNow([name], signal)).get(name)
  if (JSON.stringify(present?.value) === JSON.stringify(wanted)) return
  const says = present?.value === undefined ? `cannot be read (${present?.reason})` : `is ${JSON.stringify(present.value)}`
  throw new Conflict(`${name} of ${device.record.name} ${says}, not ${JSON.stringify(wanted)}`, { deviceId: device.record.id, parameter: name })
}

async function touched(device: StationDevice, work: () => Promise<void>): Promise<readonly CommandReading[]> {
  await work()
  device.touch()
  return []
}
