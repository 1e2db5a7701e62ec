import type { DeviceHandle, MotionFacet } from '../../../drivers/driver.ts'
import { orAbort, pause } from './deadline.ts'

const CONFIRM_EVERY_MS = 20 // between questions whether a stopped axis stands

/** The driver's own emergency stop, or its ordinary one, confirmed by the instrument's word that nothing moves. */
export async function sendStop(handle: DeviceHandle, signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
  if (handle.emergencyStop !== undefined) return await orAbort(handle.emergencyStop(signal), signal)
  const motion = handle.motion
  if (motion === undefined) return { confirmed: Promise.resolve(true) }
  await orAbort(motion.stop(signal), signal)
  return { confirmed: untilStanding(motion, signal).then(() => true) }
}

/** Asks until the axis stands, by the instrument's own word. */
export async function untilStanding(motion: Pick<MotionFacet, 'isMoving'>, signal: AbortSignal): Promise<void> {
  while (await motion.isMoving(signal)) {
    await pause(CONFIRM_EVERY_MS, signal)
    signal.throwIfAborted()
  }
}
