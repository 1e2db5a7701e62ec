import type { LinkStreams } from '../../link/protocol.ts'
import type { Stations } from '../stations/stations.ts'
import { pause } from '../subscriptions/pause.ts'
import type { FrameRequest } from './ticket.ts'

export type TappedFrame = LinkStreams['frames']['item']

const RETRY_MS = 500 // a station that is away, or a camera that cannot be seen as it is set

/**
 * The frames of one camera for as long as somebody looks, over the restarts of its station and whatever happens to the camera. `away` hears why none come for the
 * moment; what it throws ends them.
 */
export async function* followFrames(
  stations: Pick<Stations, 'all'>,
  request: FrameRequest,
  signal: AbortSignal,
  away: (reason: unknown) => void,
): AsyncGenerator<TappedFrame, void, void> {
  while (!signal.aborted) {
    try {
      const mirror = stations.all().find(({ devices, online }) => online && devices.has(request.deviceId))
      if (mirror === undefined) throw new Error('no station that is here has this camera')
      yield* mirror.link.stream('frames', request, signal)
    } catch (error) {
      if (!signal.aborted) away(error)
    }
    await pause(RETRY_MS, signal)
  }
}
