import type { CameraState } from '../../core/device.ts'
import { MAX_FRAME_RATE_HZ } from '../../core/frame.ts'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { frameRequest } from '../frames/request.ts'
import { FRAME_PROTOCOL } from '../frames/ticket.ts'
import type { Device } from '../loaders.ts'
import { parameterOf } from '../parameters.ts'
import { type ParameterSource, ReadingRef } from '../refs.ts'
import { FrameQualityEnum } from './enums.ts'
import { readingOf } from './reading.ts'
import { RoiInputRef } from './roi-input.ts'

const RoiRef = builder.objectRef<CameraState['roi']>('Roi').implement({
  fields: (t) => ({ x: t.exposeInt('x'), y: t.exposeInt('y'), width: t.exposeInt('width'), height: t.exposeInt('height') }),
})
const BinningRef = builder.objectRef<CameraState['binning']>('Binning').implement({ fields: (t) => ({ x: t.exposeInt('x'), y: t.exposeInt('y') }) })

const StreamCompressionEnum = builder.enumType('StreamCompression', {
  values: ['NONE', 'LZ4'] as const,
  description: 'LZ4: each picture is one block of it, unless it would not become smaller; its header says which.',
})

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
      args: {
        quality: t.arg({ type: FrameQualityEnum, defaultValue: 'PREVIEW' }),
        maxRateHz: t.arg.float({ description: `At most ${MAX_FRAME_RATE_HZ}, which it is without one.` }),
        roi: t.arg({ type: RoiInputRef, description: 'Of the sensor, whatever the camera itself is set to; without one, all that it reads out.' }),
        compression: t.arg({ type: StreamCompressionEnum, defaultValue: 'NONE' }),
      },
      resolve: ({ device, state }, { quality, maxRateHz, roi, compression }, { tickets }) =>
        tickets.issue(
          frameRequest(
            device.id,
            state,
            { quality: quality ?? 'PREVIEW', compression: compression ?? 'NONE', ...(roi && { roi }) },
            maxRateHz ?? MAX_FRAME_RATE_HZ,
          ),
        ),
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
