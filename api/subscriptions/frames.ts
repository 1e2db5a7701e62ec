import { NotSupported } from '../../core/errors.ts'
import type { FrameHeader, FrameQuality } from '../../core/frame.ts'
import type { Context } from '../context.ts'
import { deviceByGlobalId } from '../devices.ts'
import { type LiveSource, liveSource } from './source.ts'

export type FrameNotice = FrameHeader & { readonly skipped: number }

/** What the binary WebSocket carries, without the pixels. */
export async function frameSource(deviceId: string, quality: FrameQuality, maxRateHz: number, context: Context): Promise<LiveSource<FrameNotice>> {
  const device = await deviceByGlobalId(deviceId, context)
  if (context.stations.device(device)?.camera === undefined) throw new NotSupported(`${device.name} has no camera, or was not connected yet`, 'FRAME_PRODUCER')
  let present: FrameNotice | undefined
  return liveSource({
    delivery: 'LATEST',
    joinable: true,
    present: () => present,
    async *run(signal) {
      for await (const { header } of context.stations.get(device.stationId).link.stream('frames', { deviceId: device.id, quality, maxRateHz }, signal)) {
        const skipped = present === undefined ? 0 : Math.max(0, header.sequence - present.sequence - 1 - (header.dropped - present.dropped))
        present = { ...header, skipped }
        yield present
      }
    },
  })
}
