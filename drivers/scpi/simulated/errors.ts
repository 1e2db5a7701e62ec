/** SCPI-99, volume 2, 21.8: the standard error codes that the simulated instruments report. */
export const STANDARD_ERRORS: Readonly<Record<number, string>> = {
  [-100]: 'Command error',
  [-102]: 'Syntax error',
  [-104]: 'Data type error',
  [-108]: 'Parameter not allowed',
  [-109]: 'Missing parameter',
  [-113]: 'Undefined header',
  [-114]: 'Header suffix out of range',
  [-131]: 'Invalid suffix',
  [-138]: 'Suffix not allowed',
  [-151]: 'Invalid string data',
  [-213]: 'Init ignored',
  [-221]: 'Settings conflict',
  [-222]: 'Data out of range',
  [-224]: 'Illegal parameter value',
  [-230]: 'Data corrupt or stale',
  [-310]: 'System error',
  [-330]: 'Self-test failed',
  [-350]: 'Error queue overflow',
  [-410]: 'Query INTERRUPTED',
  [-420]: 'Query UNTERMINATED',
}

/** Thrown by a command that is not carried out; becomes an entry of the error queue. */
export class ScpiError extends Error {
  readonly code: number

  constructor(code: number) {
    super(STANDARD_ERRORS[code] ?? 'Device-specific error')
    this.code = code
  }
}

/** *ESR? bits (IEEE 488.2, 11.5.1.1). */
export const EVENT = { operationComplete: 1, queryError: 4, deviceError: 8, executionError: 16, commandError: 32, powerOn: 128 } as const

export function eventOf(code: number): number {
  if (code <= -100 && code > -200) return EVENT.commandError
  if (code <= -200 && code > -300) return EVENT.executionError
  return code <= -400 && code > -500 ? EVENT.queryError : EVENT.deviceError
}
