import { setTimeout as pause } from 'node:timers/promises'
import { HardwareFault, LimitViolation, NotFound } from '../../core/errors.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { CommandFacet, DeviceHandle, MotionFacet } from '../driver.ts'
import type { Description, MotionDescription, ParameterDescription } from './description.ts'
import type { Instrument } from './instrument.ts'
import { formatValue, parseReply, replyShape } from './values.ts'

const CONFIRM_STOP_WITHIN_MS = 5000
const CONFIRM_STOP_EVERY_MS = 20
const CONFIRM_REPLY_MS = 500 // an instrument that is busy measuring is cleared and told again after this

/** Which facets the description gives. What stands here decides what the device can do. */
export function handleOf(instrument: Instrument, limits: { readonly motion: MotionLimits }): DeviceHandle {
  const { description } = instrument
  const { commands, readout, shutter, emission, wavelength, motion, underWay, stop, safe } = description
  const stops = stop ?? (motion === undefined ? undefined : { send: [motion.stop] })
  return {
    identity: instrument.identity,
    parameters: instrument.parameters,
    read: (names, signal) => instrument.read(names, signal),
    ...(description.parameters.some(({ set }) => set !== undefined) && {
      write: (name: string, value: ParameterValue, signal: AbortSignal) => instrument.write(name, value, signal),
    }),
    ...(readout !== undefined && { readout: { parameter: readout } }),
    ...(shutter !== undefined && { shutter: { parameter: shutter } }),
    ...(emission !== undefined && { emission: { parameter: emission } }),
    ...(wavelength !== undefined && { wavelength: { parameter: wavelength.parameter, setpointParameter: wavelength.setpoint } }),
    ...(motion !== undefined && { motion: motionOf(instrument, motion, limits.motion) }),
    ...(commands.length > 0 && { commands: commandsOf(instrument) }),
    ...(underWay !== undefined && { underWay: (signal: AbortSignal) => instrument.holds(underWay, 'command', signal) }),
    ...(safe !== undefined && { makeSafe: (signal: AbortSignal) => instrument.command(() => safe.map((text) => instrument.filled(text)), nothing, signal) }),
    ...(stops !== undefined && { emergencyStop: (signal: AbortSignal) => emergencyStop(instrument, stops, motion, signal) }),
    [Symbol.asyncDispose]: async () => {
      // The port belongs to who opened it, and nothing else was opened.
    },
  }
}

export type MotionLimits = { readonly minimum?: number; readonly maximum?: number }

/**
 * The stop is on its way at once. Where nothing is asked to confirm it, the instrument's next answer does: it obeys in order. One that does not answer is
 * cleared, where the transport can, and told again: a stop does no harm twice.
 */
async function emergencyStop(
  instrument: Instrument,
  stop: NonNullable<Description['stop']>,
  motion: MotionDescription | undefined,
  signal: AbortSignal,
): Promise<{ readonly confirmed: Promise<boolean> }> {
  await instrument.preempt(stop.send)
  const stands = async (): Promise<boolean> => {
    if (stop.confirm !== undefined) return await instrument.holds(stop.confirm, 'urgent', signal, CONFIRM_REPLY_MS)
    if (motion !== undefined) return !(await instrument.holds(motion.moving, 'urgent', signal, CONFIRM_REPLY_MS))
    const { query, pattern } = instrument.description.identity
    return await instrument.holds({ query, pattern }, 'urgent', signal, CONFIRM_REPLY_MS)
  }
  const confirm = async (): Promise<boolean> => {
    const deadlineMs = performance.now() + CONFIRM_STOP_WITHIN_MS
    while (!signal.aborted && !instrument.port.lost.aborted && performance.now() < deadlineMs) {
      // Another channel's emergency stop may void the question: then it is asked again.
      const answer = await stands().catch(() => undefined)
      if (answer === true) return true
      if (answer === undefined && !instrument.port.lost.aborted && !signal.aborted) {
        await instrument.port.conversation.clear(signal).catch(() => undefined) // not cleared: the stop is told again all the same
        await instrument.preempt(stop.send).catch(() => undefined) // lost: told by the loop's condition
      }
      await pause(CONFIRM_STOP_EVERY_MS)
    }
    return false
  }
  return { confirmed: confirm() }
}

function commandsOf(instrument: Instrument): CommandFacet {
  const { commands } = instrument.description
  return {
    specs: commands.map(({ spec }) => spec),
    invoke: async (name, given, signal) => {
      const command = commands.find(({ spec }) => spec.name === name)
      if (command === undefined) throw new NotFound(`command ${name}`)
      const values: Record<string, string> = {}
      for (const [argument, format] of command.arguments) if (given[argument] !== undefined) values[argument] = formatValue(format, given[argument])
      const text = instrument.filled(command.send, values)
      const { result, timeoutMs } = command
      if (result === undefined) {
        await instrument.command(() => [text], nothing, signal, timeoutMs)
        return undefined
      }
      const answer = await instrument.question(text, replyShape(result), signal, timeoutMs)
      const measured = parseReply(result, answer)
      if ('bad' in measured) throw new HardwareFault(`${text} was answered, and ${measured.bad}`, 'DONE')
      return measured.value
    },
  }
}

function motionOf(instrument: Instrument, motion: MotionDescription, limits: MotionLimits): MotionFacet {
  const position = instrument.description.parameters.find(({ name }) => name === motion.position)
  let homed: boolean | undefined
  let homing = false
  return {
    unit: position?.unit ?? '1',
    positionParameter: motion.position,
    ...(motion.velocity !== undefined && { velocityParameter: motion.velocity }),
    limits: () => limits,
    homed: () => homed,
    moveTo: async (target, signal) => {
      const { minimum, maximum } = limits
      if ((minimum !== undefined && target < minimum) || (maximum !== undefined && target > maximum))
        throw new LimitViolation(motion.position, target, minimum, maximum, position?.unit)
      const value = formatValue(bounded(position, limits), target)
      homing = false
      await instrument.command(() => [instrument.filled(motion.move, { value })], nothing, signal)
    },
    home: async (signal) => {
      const { home } = motion
      if (home === undefined) throw new NotFound(`search for home of ${instrument.description.model}`)
      await instrument.command(() => [instrument.filled(home)], nothing, signal)
      homing = true
      homed = false
    },
    isMoving: async (signal) => {
      const moving = await instrument.holds(motion.moving, 'command', signal)
      if (!moving) {
        await instrument.exchange('command', (line) => instrument.port.refuseErrors(line, 'the motion'), signal)
        if (homing) homed = true
        homing = false
      }
      return moving
    },
    stop: async (signal) => {
      homing = false // not reached
      await instrument.stop([motion.stop], signal)
    },
  }
}

function bounded(position: ParameterDescription | undefined, limits: MotionLimits): ParameterDescription {
  if (position === undefined) throw new NotFound('position') // the description was checked: it is there
  const { minimum: _least, maximum: _most, ...format } = position
  return { ...format, ...limits }
}

async function nothing(): Promise<void> {
  // the instrument's silence confirms it
}
