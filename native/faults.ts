import { constants } from 'node:os'
import { DeviceBusy, type Effect, HardwareFault, InvalidValue } from '../core/errors.ts'
import { withPvcamCure } from './pvcam-errors.ts'

/** What native/src/js_values.cc hangs on its errors. */
type NativeError = Error & { readonly pvcamCode?: number; readonly comediCode?: number; readonly refused?: 'value' | 'state' }

/**
 * Runs a native call and gives its error the project's words: a code of PVCAM or Comedi becomes a HardwareFault with that code (EBUSY of Comedi a DeviceBusy), a refused argument an InvalidValue, a call
 * at the wrong moment a DeviceBusy. System errors (a full disk, a missing folder) go on as they are. `effect` is what a failed call may have done.
 */
export function withProblems<T>(effect: Effect, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw problemOf(error, effect)
  }
}

/** As withProblems, for a call that is answered later. */
export async function withProblemsLater<T>(effect: Effect, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw problemOf(error, effect)
  }
}

/** The project's word for an error of the addon. */
export function problemOf(error: unknown, effect: Effect): unknown {
  if (!(error instanceof Error)) return error
  const { message, pvcamCode, comediCode, refused } = error as NativeError
  if (pvcamCode !== undefined) return new HardwareFault(withPvcamCure(message, pvcamCode), effect, { instrumentCode: String(pvcamCode) }, { cause: error })
  if (comediCode === constants.errno.EBUSY) return new DeviceBusy(message, {})
  if (comediCode !== undefined) return new HardwareFault(message, effect, { instrumentCode: String(comediCode) }, { cause: error })
  if (refused === 'value') return new InvalidValue(message, [message.split(':', 1)[0] ?? ''])
  if (refused === 'state') return new DeviceBusy(message, {})
  return error
}
