import type { CommandCall, CommandReading } from '../../../core/command.ts'
import { asProblem, Conflict, DeadlineExceeded, HardwareFault, InvalidValue, type Problem } from '../../../core/errors.ts'
import { convert } from '../../../core/unit.ts'
import { deadline } from './deadline.ts'
import type { StationDevice } from './station-device.ts'
import { StationEnds } from './station-ends.ts'
import { entry, type Step, type StepContext } from './step.ts'

const PROGRESS_EVERY_MS = 100 // for eyes; the readings stream tells more
const STOP_WITHIN_MS = 5_000 // a stop that is not accepted by then is reported as such; waiting longer helps nobody

export async function prepareMove(call: Extract<CommandCall, { readonly kind: 'move' }>, { device, writer, signal }: StepContext): Promise<Step> {
  const motion = device.axis.stillFacet()
  if ((call.to === undefined) === (call.by === undefined)) throw new InvalidValue('give either to or by', ['to'])
  const target = call.to ?? (await device.axis.origin(signal)) + convert(finite(call.by ?? 0), call.unit, motion.unit)
  const unit = call.to === undefined ? motion.unit : call.unit
  device.axis.check(target, unit)
  return motionStep(device, call.wait, (work) => device.moveTo(target, unit, writer, work))
}

export function prepareHome(call: Extract<CommandCall, { readonly kind: 'home' }>, { device, writer }: StepContext): Step {
  device.axis.stillFacet()
  return motionStep(device, call.wait, (work) => device.home(writer, work))
}

/** Never refused to anyone: neither by a run nor by an emergency stop. */
export function prepareStop({ device }: StepContext): Step {
  device.axis.facet()
  return {
    device,
    changes: true,
    wait: true,
    start: async (signal) => {
      await device.stop(signal)
      return []
    },
    finish: async (signal) => {
      await device.settled(signal)
      return await standing(device, signal)
    },
  }
}

function motionStep(device: StationDevice, wait: boolean, begin: (signal: AbortSignal) => Promise<void>): Step {
  let stops = device.stops
  return {
    device,
    changes: true,
    wait,
    start: async (signal) => {
      stops = device.stops
      try {
        await begin(signal)
      } catch (error) {
        return await givenUp(device, signal, error)
      }
      return known(device)
    },
    finish: async (signal, moved) => {
      const watching = setInterval(() => moved(known(device)), PROGRESS_EVERY_MS)
      try {
        await device.settled(signal)
      } catch (error) {
        return await givenUp(device, signal, error)
      } finally {
        clearInterval(watching)
      }
      if (device.stops !== stops)
        throw new Conflict(`the motion of ${device.record.name} was ended by a stop`, { deviceId: device.record.id, effect: 'POSSIBLE' })
      return await standing(device, signal)
    },
  }
}

/** Whoever gives up a move must not leave it running, nor one whose start was not confirmed yet. An emergency stop, or the end of the station, stops it itself. */
export async function givenUp(device: StationDevice, signal: AbortSignal, because: unknown): Promise<never> {
  if (!signal.aborted || asProblem(because).code === 'EMERGENCY_STOPPED' || signal.reason instanceof StationEnds) throw because
  const late = (): Problem => new DeadlineExceeded(`not taken within ${STOP_WITHIN_MS} ms`, STOP_WITHIN_MS, 'POSSIBLE')
  using stopping = deadline(new AbortController().signal, STOP_WITHIN_MS, late)
  try {
    await device.stop(stopping.signal)
  } catch (error) {
    throw new HardwareFault(`${asProblem(because).message}; ${device.record.name} may still move, its stop failed: ${asProblem(error).message}`, 'POSSIBLE')
  }
  throw because
}

/** The measured position, fresh, and what was asked for. */
async function standing(device: StationDevice, signal: AbortSignal): Promise<readonly CommandReading[]> {
  const { motion } = device.live().handle
  if (motion !== undefined) await device.readNow([motion.positionParameter], signal)
  return known(device)
}

function known(device: StationDevice): readonly CommandReading[] {
  const name = device.handle?.motion?.positionParameter
  if (name === undefined) return []
  const reading = device.reading(name)
  const setpoint = device.setpoint(name)
  return [
    ...(reading === undefined ? [] : [entry(device, name, reading)]),
    ...(setpoint === undefined ? [] : [{ ...entry(device, name, setpoint), setpoint: true as const }]),
  ]
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new InvalidValue(`${value} is not a distance; give a finite number`, ['by'])
  return value
}
