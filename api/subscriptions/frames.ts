import { NotSupported } from '../../core/errors.ts'
import type { FrameHeader, FrameQuality } from '../../core/frame.ts'
import type { Context } from '../context.ts'
import { deviceByGlobalId } from '../devices.ts'
import { type LiveSource, liveSource } from './source.ts'

export type FrameNotice = FrameHeader & { readonly deviceId: string; readonly skipped: number }

/** What the binary WebSocket carries, without the pixels, which never leave the station for it. The newest frame that is there comes at once. */
export async function frameSource(deviceId: string, quality: FrameQuality, maxRateHz: number, context: Context): Promise<LiveSource<FrameNotice>> {
  const device = await deviceByGlobalId(deviceId, context)
  if (context.stations.device(device)?.camera === undefined) throw new NotSupported(`${device.name} has no camera, or was not connected yet`, 'FRAME_PRODUCER')
  let present: FrameNotice | undefined
  return liveSource({
    delivery: 'LATEST',
    joinable: true,
    present: () => present,
    async *run(signal) {
      const request = { deviceId: device.id, maxRateHz, view: { quality, compression: 'NONE', headerOnly: true } } as const
      for await (const { header } of context.stations.get(device.stationId).link.stream('frames', request, signal)) {
        const skipped = present === undefined ? 0 : Math.max(0, header.sequence - present.sequence - 1 - (header.dropped - present.dropped))
        present = { ...header, deviceId: device.id, skipped }
        yield present
      }
    },
  })
}
