import { asProblem } from '../../../core/errors.ts'
import type { DeviceHandle, LostStationRule, MotionFacet } from '../../../drivers/driver.ts'
import { orAbort } from './deadline.ts'
import { untilStanding } from './stop-bytes.ts'

/**
 * What a driver wants of a device whose station was killed, carried out before anybody may command it. Throws what the instrument says against it; the
 * device is then not connected. Returns what was done, for the feed.
 */
export async function carryOutLostRule(rule: LostStationRule | undefined, handle: DeviceHandle, signal: AbortSignal): Promise<string | undefined> {
  switch (rule ?? 'LEAVE') {
    case 'LEAVE':
      return undefined
    case 'STOP': {
      const { motion } = handle
      if (motion === undefined || !(await mayMove(motion, signal))) return undefined
      await orAbort(motion.stop(signal), signal)
      await orAbort(untilStanding(motion, signal), signal)
      return 'was stopped'
    }
    case 'MAKE_SAFE':
      if (handle.makeSafe === undefined) return 'could not be made safe: its driver does not know how'
      await orAbort(handle.makeSafe(signal), signal)
      return 'was made safe'
  }
}

/** What it says of an earlier motion that ended badly means that it stands. */
async function mayMove(motion: MotionFacet, signal: AbortSignal): Promise<boolean> {
  try {
    return await orAbort(motion.isMoving(signal), signal)
  } catch (error) {
    if (asProblem(error).facts.instrumentCode !== undefined) return false
    throw error
  }
}
