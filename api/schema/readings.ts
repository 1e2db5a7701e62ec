import { builder } from '../builder.ts'
import type { LiveSeries, ReadingBatch } from '../subscriptions/reading-batch.ts'
import { readingsSource } from '../subscriptions/readings.ts'
import { seriesWriter } from '../subscriptions/series-json.ts'
import { QualityEnum } from './enums.ts'
import { GapRef } from './gap.ts'

const LiveSeriesRef = builder.objectRef<LiveSeries>('LiveSeries').implement({
  fields: (t) => ({
    parameterId: t.exposeID('parameterId'),
    unit: t.string({ nullable: true, resolve: ({ unit }) => unit ?? null }),
    start: t.field({ type: 'Time', resolve: ({ start }) => start }),
    offsetsMs: t.floatList({ resolve: ({ offsetsMs }) => offsetsMs }),
    numbers: t.floatList({ nullable: { list: true, items: true }, resolve: ({ numbers }) => numbers ?? null }),
    texts: t.stringList({ nullable: { list: true, items: true }, resolve: ({ texts }) => texts ?? null }),
    booleans: t.booleanList({ nullable: { list: true, items: true }, resolve: ({ booleans }) => booleans ?? null }),
    qualities: t.field({ type: [QualityEnum], resolve: ({ qualities }) => qualities }),
  }),
})

const ReadingBatchRef = builder.objectRef<ReadingBatch>('ReadingBatch').implement({
  description: 'Column-wise so that thousands of values a second cost one event. The first batch is a snapshot of the present.',
  fields: (t) => ({
    cursor: t.field({ type: 'Cursor', resolve: ({ cursor }) => cursor() }),
    gap: t.field({ type: GapRef, nullable: true, resolve: ({ gap }) => gap ?? null }),
    snapshot: t.exposeBoolean('snapshot'),
    dropped: t.field({
      type: 'SafeInt',
      description: 'Readings that were passed over since the batch before, for newer ones of the same parameter.',
      resolve: ({ dropped }) => dropped,
    }),
    series: t.field({
      type: [LiveSeriesRef],
      resolve: ({ series }, _args, { raw }, info) => {
        const write = raw === undefined ? undefined : seriesWriter(info)
        if (write === undefined) return series
        raw?.put(info.path, write(series))
        return []
      },
    }),
  }),
})

const ParameterSelectorRef = builder.inputType('ParameterSelector', {
  description: 'All parameters of the device, or those named; numbers in `unit` where it is given.',
  fields: (t) => ({ deviceId: t.id({ required: true }), names: t.stringList(), unit: t.string() }),
})
const DeliveryEnum = builder.enumType('Delivery', { values: ['LATEST', 'EVERY'] as const })

builder.subscriptionField('readings', (t) =>
  t.field({
    type: ReadingBatchRef,
    description:
      'Live values of many parameters in one stream. LATEST: coalesced, never faster than maxRateHz per parameter, drops counted. ' +
      'EVERY: lossless and in order; the server ends the stream with a Gap rather than fall behind without saying so.',
    args: {
      select: t.arg({ type: [ParameterSelectorRef], required: true }),
      delivery: t.arg({ type: DeliveryEnum, defaultValue: 'LATEST' }),
      maxRateHz: t.arg.float({ defaultValue: 20 }),
      after: t.arg({ type: 'Cursor' }),
    },
    subscribe: (_root, { select, delivery, maxRateHz, after }, context) =>
      readingsSource({ select, delivery: delivery ?? 'LATEST', maxRateHz: maxRateHz ?? 20, after: after ?? undefined }, context),
    resolve: (batch) => batch,
  }),
)
