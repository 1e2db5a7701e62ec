import { RAMP_SHAPES, type RampShape } from './ramp.ts'

/**
 * The motor controller of DriftApp: an RP2040 on USB (CDC, 115200), text lines. A move is answered when it has ended; STOP is answered by the move that it
 * ended; STATUS at any time.
 */

export const BAUD_RATE = 115_200
export const TERMINATOR = '\n'

export type Move = { readonly steps: number; readonly direction: 0 | 1; readonly delayUs: number; readonly ramp: RampShape }

export const command = {
  move: ({ steps, direction, delayUs, ramp }: Move) => `MOVE ${steps} ${direction} ${delayUs} ${ramp}`,
  stop: 'STOP',
  status: 'STATUS',
}

export type ControllerStatus = { readonly moving: false } | { readonly moving: true; readonly remaining: number }

/** What comes of itself: at boot, and when a move ends or is refused. */
export type ControllerEvent =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ended'; readonly steps: number; readonly stopped: boolean }
  | { readonly kind: 'busy' }
  | { readonly kind: 'error'; readonly text: string }

export const STATUS_REPLY = /^(?:IDLE|MOVING \d{1,10})$/

export function parseStatus(line: string): ControllerStatus | undefined {
  if (!STATUS_REPLY.test(line)) return undefined
  return line === 'IDLE' ? { moving: false } : { moving: true, remaining: Number(line.slice('MOVING '.length)) }
}

const ENDED = /^(OK|STOPPED) (\d{1,10})$/
const ERROR = /^ERROR ([ -~]{1,200})$/

export function parseEvent(line: string): ControllerEvent | undefined {
  if (line === 'READY') return { kind: 'ready' }
  if (line === 'BUSY') return { kind: 'busy' }
  const ended = ENDED.exec(line)
  if (ended !== null) return { kind: 'ended', steps: Number(ended[2]), stopped: ended[1] === 'STOPPED' }
  const error = ERROR.exec(line)
  return error?.[1] === undefined ? undefined : { kind: 'error', text: error[1] }
}

/** As the firmware reads a command; undefined: none that it knows. `wrong`: what it answers ERROR with. */
export function parseCommand(line: string): 'STOP' | 'STATUS' | Move | { readonly wrong: string } {
  if (line === 'STOP' || line === 'STATUS') return line
  const [word, ...fields] = line.split(' ')
  if (word !== 'MOVE') return { wrong: 'unknown_command' }
  const [steps = Number.NaN, direction, delayUs = Number.NaN] = fields.slice(0, 3).map((field) => (/^-?\d{1,10}$/.test(field) ? Number(field) : Number.NaN))
  const ramp = RAMP_SHAPES.find((shape) => shape === fields[3])
  if (fields.length !== 4 || ramp === undefined || Number.isNaN(steps) || Number.isNaN(delayUs)) return { wrong: 'invalid_command' }
  if (steps <= 0) return { wrong: 'invalid_steps' }
  if (direction !== 0 && direction !== 1) return { wrong: 'invalid_direction' }
  if (delayUs <= 0) return { wrong: 'invalid_delay' }
  return { steps, direction, delayUs, ramp }
}
