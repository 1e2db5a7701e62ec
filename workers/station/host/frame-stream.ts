import { InvalidValue, NotSupported, Problem } from '../../../core/errors.ts'
import { type FrameMark, type FrameView, MAX_FRAME_RATE_HZ } from '../../../core/frame.ts'
import type { FrameFacet } from '../../../drivers/driver.ts'
import { type LinkStreams, MAX_PICTURE_BYTES } from '../../../link/protocol.ts'
import { pause } from './deadline.ts'
import type { HostedDevice } from './hosted-device.ts'
import type { SharedPictures } from './shared-pictures.ts'

const LOOK_EVERY_MS = 5 // for a frame that was not there yet when it was due

/**
 * The newest frame, at once and then at most maxRateHz times a second. What comes in between is not even looked at: this is for eyes, the recorder has every
 * frame. While the reader does not ask for the next one, nothing is made. Goes on with a camera that was away, or was set otherwise. `find` is asked again and
 * again, because a device is made anew when its registration or its driver changes; it throws NotFound when there is none any more, which ends the frames.
 */
export async function* streamFrames(
  find: () => Pick<HostedDevice, 'record' | 'handle'>,
  view: FrameView,
  maxRateHz: number,
  pictures: SharedPictures,
  signal: AbortSignal,
): AsyncGenerator<LinkStreams['frames']['item'], void, void> {
  if (!(maxRateHz > 0)) throw new InvalidValue(`maxRateHz: ${maxRateHz} is not above 0`, ['maxRateHz'])
  const everyMs = 1000 / Math.min(maxRateHz, MAX_FRAME_RATE_HZ)
  let dueMs = performance.now()
  while (!signal.aborted) {
    const { handle, record } = find()
    const camera = handle?.frames
    if (handle !== undefined && camera === undefined) throw new NotSupported(`${record.name} is no camera`, 'FRAME_PRODUCER')
    if (camera === undefined) await pause(LOOK_EVERY_MS, signal)
    else yield* follow(camera)
  }

  /** Until the device is connected anew. */
  async function* follow(camera: FrameFacet): AsyncGenerator<LinkStreams['frames']['item'], void, void> {
    using shared = pictures.use(camera, view)
    let last: FrameMark | undefined
    while (!signal.aborted && find().handle?.frames === camera) {
      const picture = await shared.newest(last)
      if (picture === undefined) {
        await pause(LOOK_EVERY_MS, signal)
        continue
      }
      const { header, pixels, mark } = picture
      if (pixels.byteLength > MAX_PICTURE_BYTES)
        throw new Problem('LIMIT_EXCEEDED', `a picture of ${pixels.byteLength} bytes is too large to be sent: ask for a region of it, or for another quality`, {
          limit: `${MAX_PICTURE_BYTES} bytes`,
        })
      last = mark
      yield { header, pixels }
      dueMs = Math.max(dueMs + everyMs, performance.now()) // after a slow reader it goes on from now, it does not catch up
      await pause(dueMs - performance.now(), signal)
    }
  }
}
