import type { CommandCall, CommandReading } from '../../../core/command.ts'
import { Conflict } from '../../../core/errors.ts'
import type { ParameterValue } from '../../../core/reading.ts'
import { givenUp } from './motion-steps.ts'
import { entry, need, readings, type Step, type StepContext } from './step.ts'

type Call<Kind extends CommandCall['kind']> = Extract<CommandCall, { readonly kind: Kind }>

const PROGRESS_EVERY_MS = 100 // for eyes; the readings stream tells more

export function prepareShutter({ open }: Call<'setShutter'>, context: StepContext): Step {
  const { parameter } = need(context.device, context.device.live().handle.shutter, 'SHUTTER_CONTROL', 'has no shutter')
  return setStep(context, { parameter, value: open, confirmedBy: [parameter], wait: true })
}

export function prepareEmission({ on }: Call<'setEmission'>, context: StepContext): Step {
  const { parameter } = need(context.device, context.device.live().handle.emission, 'EMISSION_CONTROL', 'emits nothing that could be switched')
  return setStep(context, { parameter, value: on, confirmedBy: [parameter], wait: true })
}

export function prepareWavelength({ value, unit, wait }: Call<'setWavelength'>, context: StepContext): Step {
  const { parameter, setpointParameter } = need(context.device, context.device.live().handle.wavelength, 'WAVELENGTH_TUNABLE', 'cannot be tuned')
  const given = { parameter: setpointParameter, value, ...(unit !== undefined && { unit }) }
  return setStep(context, { ...given, confirmedBy: [...new Set([parameter, setpointParameter])], wait })
}

/** Refused like a set; arguments are checked before. What it begins is waited for: it is done when the instrument says so. */
export function prepareInvoke({ command, arguments: given }: Call<'invoke'>, { device, writer }: StepContext): Step {
  device.controls.checkInvoke(command, given)
  let value: ParameterValue | undefined
  const ended = async (signal: AbortSignal, error: unknown): Promise<never> => {
    if (device.moving) return await givenUp(device, signal, error)
    throw error
  }
  return {
    device,
    changes: true,
    wait: true,
    start: async (signal) => {
      try {
        value = await device.controls.invoke(command, given, writer, signal)
      } catch (error) {
        return await ended(signal, error)
      }
      return []
    },
    value: () => value,
    finish: async (signal) => {
      try {
        await Promise.all([device.arrived(signal), device.settled(signal)])
      } catch (error) {
        return await ended(signal, error)
      }
      return []
    },
  }
}

type Set = {
  readonly parameter: string
  readonly value: ParameterValue
  readonly unit?: string
  /** Read again when it is there. */
  readonly confirmedBy: readonly string[]
  readonly wait: boolean
}

/** A set whose end the instrument tells later: the shutter travels, the laser tunes. */
function setStep({ device, writer }: StepContext, { parameter, value, unit, confirmedBy, wait }: Set): Step {
  device.controls.checkSet(parameter, value, unit)
  let asked: ReturnType<typeof device.setpoint>
  const known = (): readonly CommandReading[] =>
    confirmedBy.flatMap((name) => {
      const reading = device.reading(name)
      return reading === undefined ? [] : [entry(device, name, reading)]
    })
  return {
    device,
    changes: true,
    wait,
    start: async (signal) => {
      await device.set(parameter, value, unit, writer, signal)
      asked = device.setpoint(parameter)
      return known()
    },
    finish: async (signal, moved) => {
      const watching = setInterval(() => moved(known()), PROGRESS_EVERY_MS)
      try {
        await device.arrived(signal)
      } finally {
        clearInterval(watching)
      }
      if (device.setpoint(parameter) !== asked)
        throw new Conflict(`${parameter} of ${device.record.name} was set to something else meanwhile`, {
          deviceId: device.record.id,
          parameter,
          effect: 'POSSIBLE',
        })
      return await readings(device, confirmedBy, signal)
    },
  }
}
