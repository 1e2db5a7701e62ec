import type { CameraState } from '../../core/device.ts'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { FRAME_PROTOCOL, MAX_FRAME_RATE_HZ, rateOf } from '../frames/ticket.ts'
import type { Device } from '../loaders.ts'
import { parameterOf } from '../parameters.ts'
import { type ParameterSource, ReadingRef } from '../refs.ts'
import { FrameQualityEnum } from './enums.ts'
import { readingOf } from './reading.ts'

const RoiRef = builder.objectRef<CameraState['roi']>('Roi').implement({
  fields: (t) => ({ x: t.exposeInt('x'), y: t.exposeInt('y'), width: t.exposeInt('width'), height: t.exposeInt('height') }),
})
const BinningRef = builder.objectRef<CameraState['binning']>('Binning').implement({ fields: (t) => ({ x: t.exposeInt('x'), y: t.exposeInt('y') }) })

type StreamTicket = { readonly url: string; readonly expiresAt: Date }
const StreamTicketRef = builder.objectRef<StreamTicket>('StreamTicket').implement({
  description: 'Lets whoever has it see this camera, in connections that are opened before it expires.',
  fields: (t) => ({
    url: t.exposeString('url'),
    protocol: t.string({
      description:
        'The WebSocket subprotocol. Each binary message is one frame: a header of version 2, little-endian, that says how long it is, then the rows of pixels. docs/live-view.md tells it byte by byte.',
      resolve: () => FRAME_PROTOCOL,
    }),
    expiresAt: t.field({ type: 'Time', resolve: ({ expiresAt }) => expiresAt }),
  }),
})

type CameraSource = {
  readonly device: Device
  readonly state: CameraState
  readonly online: boolean
  readonly exposure: ParameterSource | undefined
  readonly temperature: ParameterSource | undefined
}

export const CameraRef = builder.objectRef<CameraSource>('Camera').implement({
  fields: (t) => ({
    width: t.int({ nullable: true, resolve: ({ state }) => state.width }),
    height: t.int({ nullable: true, resolve: ({ state }) => state.height }),
    bitDepth: t.int({ nullable: true, resolve: ({ state }) => state.bitDepth }),
    dtype: t.string({ nullable: true, resolve: ({ state }) => state.dtype }),
    exposure: t.field({ type: ReadingRef, nullable: true, resolve: ({ exposure }, _args, context) => readingOf(exposure, null, context) }),
    roi: t.field({ type: RoiRef, nullable: true, resolve: ({ state }) => state.roi }),
    binning: t.field({ type: BinningRef, nullable: true, resolve: ({ state }) => state.binning }),
    temperature: t.field({ type: ReadingRef, nullable: true, resolve: ({ temperature }, _args, context) => readingOf(temperature, null, context) }),
    streaming: t.boolean({ resolve: ({ state, online }) => online && state.streaming }),
    frameRate: t.float({ nullable: true, resolve: ({ state, online }) => (online ? (state.frameRate ?? null) : null) }),
    framesProduced: t.field({ type: 'SafeInt', resolve: ({ state }) => state.framesProduced }),
    framesDropped: t.field({ type: 'SafeInt', resolve: ({ state }) => state.framesDropped }),
    ticket: t.field({
      type: StreamTicketRef,
      args: { quality: t.arg({ type: FrameQualityEnum, defaultValue: 'PREVIEW' }), maxRateHz: t.arg.float() },
      resolve: ({ device }, { quality, maxRateHz }, { tickets }) =>
        tickets.issue({ deviceId: device.id, quality: quality ?? 'PREVIEW', maxRateHz: rateOf(maxRateHz ?? MAX_FRAME_RATE_HZ) }),
    }),
  }),
})

export async function cameraOf(device: Device, context: Context): Promise<CameraSource | null> {
  const state = context.stations.device(device)?.camera
  if (state === undefined) return null
  return {
    device,
    state,
    online: context.stations.find(device.stationId)?.online ?? false,
    exposure: await parameterOf(device, state.exposureParameter, context),
    temperature: state.temperatureParameter === undefined ? undefined : await parameterOf(device, state.temperatureParameter, context),
  }
}
