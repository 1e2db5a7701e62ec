import { Problem } from '../../core/errors.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { Exchange } from '../transport/serial-line.ts'
import * as protocol from './protocol.ts'
import { ask } from './protocol.ts'

/** What is asked for a parameter, the shape of its answer, and how that reads; undefined: it is cut, or no value. */
type Question = { readonly ask: string; readonly shape: RegExp; readonly parse: (reply: string) => ParameterValue | undefined }

export const QUESTIONS: Readonly<Record<string, Question>> = {
  wavelength: { ask: ask.wavelength, shape: protocol.NANOMETRES, parse: protocol.parseNanometres },
  wavelength_setpoint: { ask: ask.setpoint, shape: protocol.NANOMETRES, parse: protocol.parseNanometres },
  shutter: { ask: ask.shutter, shape: protocol.SWITCH, parse: protocol.parseSwitch },
  power: { ask: ask.power, shape: protocol.WATTS, parse: protocol.parseWatts },
  pump_power: { ask: ask.pumpPower, shape: protocol.WATTS, parse: protocol.parseWatts },
  warm_up: { ask: ask.warmUp, shape: protocol.PERCENT, parse: protocol.parsePercent },
  humidity: { ask: ask.humidity, shape: protocol.PERCENT, parse: protocol.parsePercent },
  pump_mode: { ask: ask.mode, shape: protocol.MODE, parse: protocol.parseMode },
  watchdog: { ask: ask.watchdog, shape: protocol.CODE, parse: protocol.parseCode },
  pump_error: { ask: ask.pumpError, shape: protocol.CODE, parse: protocol.parseCode },
}

export async function askShutter(line: Exchange): Promise<boolean | undefined> {
  return protocol.parseSwitch(await line.ask(ask.shutter, protocol.SWITCH))
}

export async function askEmission(line: Exchange): Promise<boolean | undefined> {
  return protocol.parseStatus(await line.ask(ask.status, protocol.STATUS))?.emission
}

/** undefined: no answer. What ends the exchange itself (a stop, a lost port) is not an answer either, and goes on. */
export async function told<T>(reply: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await reply
  } catch (error) {
    if (error instanceof Problem && error.code === 'DEADLINE_EXCEEDED') return undefined
    throw error
  }
}
