import { NotSupported, Problem, type ProblemCode } from '../../core/errors.ts'
import type { FrameHeader, FrameQuality } from '../../core/frame.ts'
import type { Context } from '../context.ts'
import { deviceByGlobalId } from '../devices.ts'
import { followFrames } from '../frames/follow.ts'
import { type LiveSource, liveSource } from './source.ts'

export type FrameNotice = FrameHeader & { readonly deviceId: string; readonly skipped: number }

const GONE: ReadonlySet<ProblemCode> = new Set(['NOT_FOUND', 'NOT_SUPPORTED'])

/**
 * What the binary WebSocket carries, without the pixels, which never leave the station for it. The newest frame that is there comes at once. It goes on with the
 * next frames when the camera was set otherwise or away, or its station was; it ends, with the reason, when there is no such camera any more.
 */
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
      const away = (reason: unknown): void => {
        if (reason instanceof Problem && (GONE.has(reason.code) || (present === undefined && reason.code === 'INVALID_VALUE'))) throw reason
      }
      for await (const { header } of followFrames(context.stations, request, signal, away)) {
        const skipped = present === undefined ? 0 : Math.max(0, header.sequence - present.sequence - 1 - (header.dropped - present.dropped))
        present = { ...header, deviceId: device.id, skipped }
        yield present
      }
    },
  })
}
