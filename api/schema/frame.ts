import { builder } from '../builder.ts'
import { checkedRate, checkedSide } from '../frames/request.ts'
import { MAX_THUMBNAIL_SIDE } from '../frames/thumbnail.ts'
import { type FrameNotice, frameSource } from '../subscriptions/frames.ts'
import { FrameQualityEnum } from './enums.ts'

const FrameNoticeRef = builder.objectRef<FrameNotice>('FrameNotice').implement({
  description: 'Says that a frame exists; the pixels come over the binary WebSocket that the ticket names.',
  fields: (t) => ({
    sequence: t.field({ type: 'SafeInt', resolve: ({ sequence }) => sequence }),
    time: t.field({ type: 'Time', resolve: ({ time }) => time }),
    width: t.exposeInt('width'),
    height: t.exposeInt('height'),
    dtype: t.exposeString('dtype'),
    exposureSeconds: t.float({ nullable: true, resolve: ({ exposureSeconds }) => exposureSeconds }),
    dropped: t.field({ type: 'SafeInt', description: 'Lost by the camera or the ring since the stream began.', resolve: ({ dropped }) => dropped }),
    skipped: t.field({ type: 'SafeInt', description: 'Not told here, because newer ones came within the interval.', resolve: ({ skipped }) => skipped }),
    minimum: t.float({ nullable: true, description: 'Of the whole frame, as are maximum and mean.', resolve: ({ minimum }) => minimum }),
    maximum: t.float({ nullable: true, resolve: ({ maximum }) => maximum }),
    mean: t.float({ nullable: true, resolve: ({ mean }) => mean }),
    thumbnailUrl: t.string({
      description: 'A PNG of the newest frame at the moment of asking, good for five minutes and for whoever has it; neither side is longer than maxSide.',
      args: { maxSide: t.arg.int({ defaultValue: 128, description: `At most ${MAX_THUMBNAIL_SIDE}.` }) },
      resolve: ({ deviceId }, { maxSide }, { tickets }) => tickets.thumbnailUrl({ deviceId, maxSide: checkedSide(maxSide ?? 128) }),
    }),
  }),
})

builder.subscriptionField('frames', (t) =>
  t.field({
    type: FrameNoticeRef,
    args: {
      deviceId: t.arg.id({ required: true }),
      quality: t.arg({ type: FrameQualityEnum, defaultValue: 'PREVIEW' }),
      maxRateHz: t.arg.float({ defaultValue: 10 }),
    },
    subscribe: (_root, { deviceId, quality, maxRateHz }, context) => frameSource(deviceId, quality ?? 'PREVIEW', checkedRate(maxRateHz ?? 10), context),
    resolve: (notice) => notice,
  }),
)
