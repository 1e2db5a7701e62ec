/**
 * Newport ESP300 motion controller: commands and replies as pure functions. Facts from the "ESP300 Motion Controller/Driver User's Manual",
 * section 3 (command set) and appendix A (error messages). A command is an axis number, two letters, a parameter; CR ends it, replies end in CR LF.
 * Set commands are not answered: the error queue (TE?) is the only word of whether one was accepted.
 */

export const AXES = [1, 2, 3] as const
export type Axis = (typeof AXES)[number]

export const TERMINATOR = '\r'
export const REPLY_TERMINATOR = '\r\n'

/** A number as the controller prints it, e.g. `12.3456`, `-0.0002`, `1E-05`. */
export const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d+)?$/
export const FLAG = /^[01]$/
export const ERROR_CODE = /^\d{1,3}$/
export const IDENTITY = /^ESP300 Version /
/** One character, whatever its bits are; bits 0 to 2 are axes that move, bit 4 is set while some motor has power. */
export const STATUS = /^.$/s
/** Code, time stamp, message; the manual does not fix the spaces. */
export const ERROR_TEXT = /^(\d{1,3})\s*,\s*(\d+)\s*,\s*(\S.*)$/
export const STAGE = /^[\x20-\x7e]*[A-Za-z][\x20-\x7e]*$/ // free text, e.g. `TS50DC.5, SN1263`; a letter tells it from a late number

export const ask = {
  identity: 'VE?',
  error: 'TE?',
  /** As TE?, with the time and the words. */
  errorText: 'TB?',
  status: 'TS',
  stage: (axis: Axis) => `${axis}ID?`,
  position: (axis: Axis) => `${axis}TP?`,
  setpoint: (axis: Axis) => `${axis}DP?`,
  /** MD: motion done. 1 is standing, 0 is moving. */
  motionDone: (axis: Axis) => `${axis}MD?`,
  motorOn: (axis: Axis) => `${axis}MO?`,
  velocity: (axis: Axis) => `${axis}VA?`,
  acceleration: (axis: Axis) => `${axis}AC?`,
  deceleration: (axis: Axis) => `${axis}AG?`,
  /** Of a search for home: to the switch, and at its edge. */
  homingVelocity: (axis: Axis) => `${axis}OH?`,
  approachVelocity: (axis: Axis) => `${axis}OL?`,
  lowerLimit: (axis: Axis) => `${axis}SL?`,
  upperLimit: (axis: Axis) => `${axis}SR?`,
  unit: (axis: Axis) => `${axis}SN?`,
} as const

export const command = {
  moveTo: (axis: Axis, position: number) => `${axis}PA${decimal(position)}`,
  /** From where the trajectory ends, not from where the axis stands. */
  moveBy: (axis: Axis, distance: number) => `${axis}PR${decimal(distance)}`,
  /** Without a mode, the one that the controller has stored for the stage. */
  home: (axis: Axis, mode?: HomeMode) => `${axis}OR${mode ?? ''}`,
  /** Where the axis stands is called `position` from now on. */
  defineHome: (axis: Axis, position: number) => `${axis}DH${decimal(position)}`,
  /** Holds every command that follows until the axis stands, and for so long after. */
  waitForStop: (axis: Axis, delayMs: number) => `${axis}WS${delayMs}`,
  stop: (axis: Axis) => `${axis}ST`,
  stopAll: 'ST',
  /** Stops every axis of the controller with its emergency deceleration. */
  abort: 'AB',
  motor: (axis: Axis, on: boolean) => `${axis}${on ? 'MO' : 'MF'}`,
  velocity: (axis: Axis, value: number) => `${axis}VA${decimal(value)}`,
  acceleration: (axis: Axis, value: number) => `${axis}AC${decimal(value)}`,
  deceleration: (axis: Axis, value: number) => `${axis}AG${decimal(value)}`,
  lowerLimit: (axis: Axis, value: number) => `${axis}SL${decimal(value)}`,
  upperLimit: (axis: Axis, value: number) => `${axis}SR${decimal(value)}`,
  unit: (axis: Axis, code: number) => `${axis}SN${code}`,
} as const

/** OR: to the zero count, home switch and index, home switch, positive limit, negative limit, positive limit and index, negative limit and index. */
export const HOME_MODES = [0, 1, 2, 3, 4, 5, 6] as const
export type HomeMode = (typeof HOME_MODES)[number]

/** Beyond it, six decimals are no longer what was asked for, and no stage goes there in any unit. */
export const LARGEST = 1e9

/** The controller takes no exponents; six decimals are a nanometre on a millimetre stage. */
function decimal(value: number): string {
  return value.toFixed(6)
}

/** undefined for anything that is not a finite number. */
export function parseNumber(reply: string): number | undefined {
  if (!NUMBER.test(reply)) return undefined
  const value = Number(reply)
  return Number.isFinite(value) ? value : undefined
}

export function parseFlag(reply: string): boolean | undefined {
  return FLAG.test(reply) ? reply === '1' : undefined
}

/** `refused`: the command before it was not carried out. Other errors (a following error, a limit switch) come by themselves. */
export type ControllerError = { readonly code: number; readonly axis?: Axis; readonly message: string; readonly refused: boolean }

/** `0`: no error. Hundreds are the axis: 213 is error 13 of axis 2. undefined: not an error code at all. */
export function parseError(reply: string): ControllerError | 'none' | undefined {
  return ERROR_CODE.test(reply) ? errorOf(Number(reply)) : undefined
}

/** A reply to TB?, e.g. `108, 451339, MOTOR OR STAGE NOT CONNECTED`. */
export function parseErrorText(reply: string): (ControllerError & { readonly text: string }) | 'none' | undefined {
  const [, code = '', , text = ''] = ERROR_TEXT.exec(reply) ?? []
  const error = parseError(code)
  return typeof error === 'object' ? { ...error, text } : error
}

function errorOf(code: number): ControllerError | 'none' {
  if (code === 0) return 'none'
  const axis = AXES.find((candidate) => candidate === Math.floor(code / 100))
  if (axis === undefined) return { code, message: GENERAL_ERRORS[code] ?? 'an error that the manual does not list', refused: !GENERAL_EVENTS.has(code) }
  return { code, axis, message: AXIS_ERRORS[code % 100] ?? 'an axis error that the manual does not list', refused: AXIS_REFUSALS.has(code % 100) }
}

/** As the controller words it in TB?. */
export function errorMessage(code: number): string {
  const error = errorOf(code)
  return (error === 'none' ? 'no error detected' : error.message).toUpperCase()
}

/** TS: which axes move, and whether some motor has power. undefined: not one character. */
export function parseStatus(reply: string): { readonly moving: readonly Axis[]; readonly motorOn: boolean } | undefined {
  if (!STATUS.test(reply)) return undefined
  const bits = reply.charCodeAt(0)
  return { moving: AXES.filter((axis) => (bits & (1 << (axis - 1))) !== 0), motorOn: (bits & 16) !== 0 }
}

/** What a stop does to a search for home: the consequence that was wanted, not a fault. */
export const HOMING_ABORTED = 20

const GENERAL_ERRORS: Readonly<Record<number, string>> = {
  1: 'PCI communication time-out',
  2: 'RS-232 communication time-out',
  4: 'emergency stop activated',
  6: 'command does not exist',
  7: 'parameter out of range',
  8: 'cable interlock',
  9: 'axis number out of range',
  13: 'group number missing',
  14: 'group number out of range',
  15: 'group number not assigned',
  16: 'group number already assigned',
  17: 'group axis out of range',
  18: 'group axis already assigned',
  19: 'group axis duplicated',
  20: 'data acquisition is busy',
  21: 'data acquisition setup error',
  22: 'data acquisition not enabled',
  23: 'servo cycle tick failure',
  25: 'program download in progress',
  26: 'stored program not started',
  27: 'command not allowed',
  28: 'flash is full',
  29: 'group parameter missing',
  30: 'group parameter out of range',
  31: 'group maximum velocity exceeded',
  32: 'group maximum acceleration exceeded',
  33: 'group maximum deceleration exceeded',
  34: 'group move not allowed during motion',
  35: 'program not found',
  37: 'axis number missing',
  38: 'command parameter missing',
  39: 'program label not found',
  40: 'last command cannot be repeated',
  41: 'too many program labels',
}

const AXIS_ERRORS: Readonly<Record<number, string>> = {
  0: 'motor type not defined',
  1: 'parameter out of range',
  2: 'amplifier fault',
  3: 'following error above its limit',
  4: 'positive hardware limit',
  5: 'negative hardware limit',
  6: 'positive software limit',
  7: 'negative software limit',
  8: 'motor or stage not connected',
  9: 'feedback signal fault',
  10: 'maximum velocity exceeded',
  11: 'maximum acceleration exceeded',
  13: 'motor not enabled',
  15: 'maximum jerk exceeded',
  16: 'DAC offset exceeded',
  17: 'protected parameter',
  18: 'stage device error',
  19: 'stage data invalid',
  20: 'homing aborted',
  21: 'motor current undefined',
  22: 'unidrive communication error',
  23: 'unidrive not detected',
  24: 'speed out of range',
  30: 'not allowed while homing',
  31: 'not allowed while in a group',
  32: 'invalid trajectory mode for moving',
}

const GENERAL_EVENTS: ReadonlySet<number> = new Set([1, 2, 4, 8, 23])
const AXIS_REFUSALS: ReadonlySet<number> = new Set([0, 1, 6, 7, 10, 11, 13, 15, 17, 24, 30, 31, 32])

/** Every code that the tables above name, as the controller would say it. */
export const ERROR_CODES: readonly string[] = [
  ...Object.keys(GENERAL_ERRORS),
  ...AXES.flatMap((axis) => Object.keys(AXIS_ERRORS).map((code) => String(axis * 100 + Number(code)))),
]
