import { asProblem, HardwareFault, messageOf, type Problem } from '../../core/errors.ts'

/**
 * How the shutter travels, as DriftApp's does: nothing is powered but for the way, the motor has a timer of its own in the module, and however the way
 * ends, motor and supply are switched off.
 */

export type EndSwitches = { readonly open: boolean; readonly closed: boolean }

export interface ShutterHardware {
  /** Every module answers; changes nothing. */
  preflight(signal: AbortSignal): Promise<EndSwitches>
  endSwitches(signal: AbortSignal): Promise<EndSwitches>
  power(on: boolean, signal: AbortSignal): Promise<void>
  motor(on: boolean, signal: AbortSignal, forSeconds?: number): Promise<void>
  direction(opening: boolean, signal: AbortSignal): Promise<void>
}

/** In seconds. */
export type CycleTimes = {
  readonly powerUp: number
  readonly directionSettles: number
  readonly poll: number
  readonly limit: number
}

export type CycleTools = {
  /** Returns early when the signal fires. */
  readonly pause: (seconds: number, signal: AbortSignal) => Promise<void>
  readonly seconds: () => number
}

const OFF_TRIES = 3 // switching off may be repeated: it moves nothing

/** Before anything is powered. Throws HardwareFault with effect NONE; returns whether the shutter is there already. */
export async function checkBefore(hardware: ShutterHardware, open: boolean, signal: AbortSignal): Promise<boolean> {
  const ends = await hardware.preflight(signal)
  if (ends.open && ends.closed) throw fault('BOTH_ENDS', 'both end switches are pressed; one of them, or a cable, is broken', 'NONE')
  return open ? ends.open : ends.closed
}

/** The whole way. `abort` ends it with its reason; motor and supply are off when this returns or throws, or it says that they are not. */
export async function travel(hardware: ShutterHardware, open: boolean, times: CycleTimes, tools: CycleTools, abort: AbortSignal): Promise<void> {
  let failure: Problem | undefined
  try {
    await go(hardware, open, times, tools, abort)
  } catch (error) {
    failure = asProblem(abort.aborted ? abort.reason : error, 'DONE').with({ effect: 'DONE' })
  }
  await allOff(hardware)
  if (failure !== undefined) throw failure
}

async function go(hardware: ShutterHardware, open: boolean, times: CycleTimes, { pause, seconds }: CycleTools, abort: AbortSignal): Promise<void> {
  const wait = async (time: number): Promise<void> => {
    await pause(time, abort)
    abort.throwIfAborted()
  }
  await hardware.power(true, abort)
  await wait(times.powerUp)
  await hardware.motor(false, abort)
  await hardware.direction(open, abort)
  await wait(times.directionSettles)
  await hardware.motor(true, abort, times.limit)
  for (const start = seconds(); ; ) {
    const ends = await hardware.endSwitches(abort)
    if (ends.open && ends.closed) throw fault('BOTH_ENDS', 'both end switches are pressed', 'DONE')
    if (open ? ends.open : ends.closed) return
    if (seconds() - start > times.limit) throw fault('TRAVEL_LIMIT', `the shutter has not ${open ? 'opened' : 'closed'} within ${times.limit} s`, 'DONE')
    await wait(times.poll)
  }
}

/** Motor first, then the supply even if the motor does not answer; `atOnce`: neither waits for the other. Throws when one of them may still be on. */
export async function allOff(hardware: Pick<ShutterHardware, 'motor' | 'power'>, atOnce = false): Promise<void> {
  const motorOff = off((signal) => hardware.motor(false, signal))
  if (!atOnce) await motorOff
  const power = await off((signal) => hardware.power(false, signal))
  const motor = await motorOff
  if (power !== undefined) throw fault('POWER', `the supply of the shutter may still be on: ${power}`, 'DONE')
  if (motor !== undefined) throw fault('MOTOR', `the supply is off, and the relay of the motor may still be on: ${motor}`, 'DONE')
}

/** Why it may still be on. */
async function off(act: (signal: AbortSignal) => Promise<void>): Promise<string | undefined> {
  let why = ''
  for (let tries = 0; tries < OFF_TRIES; tries += 1) {
    try {
      await act(NEVER) // whoever gave up: this is done all the same
      return undefined
    } catch (error) {
      why = messageOf(error)
    }
  }
  return why
}

const NEVER: AbortSignal = new AbortController().signal

function fault(code: string, message: string, effect: 'NONE' | 'DONE'): HardwareFault {
  return new HardwareFault(message, effect, { instrumentCode: code })
}
