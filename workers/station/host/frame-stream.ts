import { InvalidValue, NotSupported } from '../../../core/errors.ts'
import type { FrameQuality } from '../../../core/frame.ts'
import type { LinkStreams } from '../../../link/protocol.ts'
import { pause } from './deadline.ts'
import type { HostedDevice } from './hosted-device.ts'

const MAX_RATE_HZ = 60 // no screen shows more
const LOOK_EVERY_MS = 5 // for a frame that was not there yet when it was due

/** The newest frame at most maxRateHz times a second. What comes in between is not shown: this is for eyes, the recorder has every frame. */
export async function* streamFrames(
  device: Pick<HostedDevice, 'record' | 'handle'>,
  quality: FrameQuality,
  maxRateHz: number,
  signal: AbortSignal,
): AsyncGenerator<LinkStreams['frames']['item'], void, void> {
  if (!(maxRateHz > 0)) throw new InvalidValue(`maxRateHz: ${maxRateHz} is not above 0`, ['maxRateHz'])
  if (device.handle !== undefined && device.handle.frames === undefined) throw new NotSupported(`${device.record.name} is no camera`, 'FRAME_PRODUCER')
  const everyMs = 1000 / Math.min(maxRateHz, MAX_RATE_HZ)
  let dueMs = performance.now()
  let last: number | undefined
  while (!signal.aborted) {
    const tapped = device.handle?.frames?.tap(quality, last)
    if (tapped === undefined) {
      await pause(LOOK_EVERY_MS, signal)
      continue
    }
    const { header, pixels } = tapped
    last = header.sequence
    yield { header, pixels: new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength) }
    dueMs = Math.max(dueMs + everyMs, performance.now()) // after a slow reader it goes on from now, it does not catch up
    await pause(dueMs - performance.now(), signal)
  }
}
