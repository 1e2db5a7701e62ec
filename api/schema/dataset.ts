import type { DatasetColumn, DatasetFile } from '../../core/dataset.ts'
import { NotFound } from '../../core/errors.ts'
import type { Prisma } from '../../prisma/client.ts'
import type { ColumnSeries, ColumnStatistics } from '../../storage/dataset.ts'
import { builder } from '../builder.ts'
import { after, idCursor, pageArgs, pageCost, pageOf } from '../connection.ts'
import { containing } from '../containing.ts'
import { seriesOf, statisticsOf, type TableAnswer, tableOf } from '../datasets.ts'
import { datasetFileUrl } from '../file-urls.ts'
import { localId, localIds } from '../global-id.ts'
import { DatasetConnectionRef, DatasetRef, DeviceRef, NodeRef, RunRef, SessionRef, StationRef } from '../refs.ts'
import { readableRows } from '../rows.ts'
import { DatasetKindEnum, DatasetStateEnum, ReductionEnum } from './enums.ts'
import { TimeRangeRef, within } from './time-range.ts'

export const ColumnRef = builder.objectRef<DatasetColumn>('Column').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    type: t.exposeString('type'),
    unit: t.string({ nullable: true, resolve: ({ unit }) => unit ?? null }),
    device: t.field({
      type: DeviceRef,
      nullable: true,
      resolve: async ({ deviceId }, _args, { load }) => (deviceId === undefined ? null : ((await load.device.load(deviceId)) ?? null)),
    }),
    parameter: t.string({ nullable: true, resolve: ({ parameter }) => parameter ?? null }),
    shape: t.intList({ nullable: true, description: '[height, width] for frames; null for a scalar.', resolve: ({ shape }) => shape ?? null }),
  }),
})

type DataFile = DatasetFile & { readonly url: string }
export const DataFileRef = builder.objectRef<DataFile>('DataFile').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    bytes: t.field({ type: 'SafeInt', resolve: ({ bytes }) => bytes }),
    sha256: t.string({ nullable: true, resolve: ({ sha256 }) => sha256 ?? null }),
    mediaType: t.exposeString('mediaType'),
    url: t.exposeString('url'),
  }),
})

export const ColumnSeriesRef = builder.objectRef<ColumnSeries>('ColumnSeries').implement({
  fields: (t) => ({
    column: t.exposeString('column'),
    unit: t.string({ nullable: true, resolve: ({ unit }) => unit ?? null }),
    x: t.floatList({ resolve: ({ x }) => x }),
    values: t.floatList({ nullable: { list: false, items: true }, resolve: ({ values }) => values }),
    minimum: t.floatList({ nullable: { list: true, items: true }, resolve: ({ minimum }) => minimum ?? null }),
    maximum: t.floatList({ nullable: { list: true, items: true }, resolve: ({ maximum }) => maximum ?? null }),
    reducedFrom: t.field({ type: 'SafeInt', resolve: ({ reducedFrom }) => reducedFrom }),
  }),
})
const ColumnStatisticsRef = builder.objectRef<ColumnStatistics>('ColumnStatistics').implement({
  fields: (t) => ({
    column: t.exposeString('column'),
    count: t.field({ type: 'SafeInt', resolve: ({ count }) => count }),
    nulls: t.field({ type: 'SafeInt', resolve: ({ nulls }) => nulls }),
    minimum: t.float({ nullable: true, resolve: ({ minimum }) => minimum ?? null }),
    maximum: t.float({ nullable: true, resolve: ({ maximum }) => maximum ?? null }),
    mean: t.float({ nullable: true, resolve: ({ mean }) => mean ?? null }),
    standardDeviation: t.float({ nullable: true, resolve: ({ standardDeviation }) => standardDeviation ?? null }),
  }),
})
const TableSliceRef = builder.objectRef<TableAnswer>('TableSlice').implement({
  fields: (t) => ({
    columns: t.field({ type: [ColumnRef], resolve: ({ columns }) => columns }),
    rows: t.field({ type: t.listRef(t.listRef('Value', { nullable: true })), complexity: 1, resolve: ({ columns, rows }) => readableRows(columns, rows) }),
    endCursor: t.field({ type: 'Cursor', nullable: true, resolve: ({ endCursor }) => endCursor ?? null }),
    truncated: t.exposeBoolean('truncated', { description: 'There is more; go on after endCursor.' }),
    elapsedMs: t.exposeFloat('elapsedMs'),
  }),
})
export const RowRangeRef = builder.inputType('RowRange', {
  description: 'Rows from, up to and without to.',
  fields: (t) => ({ from: t.field({ type: 'SafeInt' }), to: t.field({ type: 'SafeInt' }) }),
})

DatasetRef.implement({
  description: 'What one recording produced: a table or frames, with provenance.',
  interfaces: [NodeRef],
  fields: (t) => ({
    name: t.exposeString('name'),
    kind: t.field({ type: DatasetKindEnum, resolve: ({ kind }) => (kind === 'FRAMES' ? 'FRAMES' : 'TABLE') }),
    state: t.field({ type: DatasetStateEnum, resolve: ({ state }) => state as 'RECORDING' | 'COMPLETE' | 'RECOVERED' | 'FAILED' | 'ARCHIVED' }),
    session: t.field({
      type: SessionRef,
      nullable: true,
      resolve: async ({ sessionId }, _args, { load }) => (sessionId === null ? null : ((await load.session.load(sessionId)) ?? null)),
    }),
    run: t.field({
      type: RunRef,
      nullable: true,
      resolve: async ({ runId }, _args, { load }) => (runId === null ? null : ((await load.run.load(runId)) ?? null)),
    }),
    device: t.field({
      type: DeviceRef,
      nullable: true,
      resolve: async ({ deviceId }, _args, { load }) => (deviceId === null ? null : ((await load.device.load(deviceId)) ?? null)),
    }),
    station: t.field({
      type: StationRef,
      description: 'The host that holds the files until they are archived.',
      resolve: async ({ stationId }, _args, { load }) => {
        const station = await load.station.load(stationId)
        if (station === undefined) throw new NotFound('station of the dataset')
        return station
      },
    }),
    axes: t.exposeStringList('axes', { description: 'Column names, slowest first.' }),
    signals: t.exposeStringList('signals'),
    shape: t.field({ type: ['SafeInt'], description: 'Of the scan.', resolve: ({ shape }) => shape }),
    createdAt: t.field({ type: 'Time', resolve: ({ createdAt }) => createdAt }),
    completedAt: t.field({ type: 'Time', nullable: true, resolve: ({ completedAt }) => completedAt }),
    rows: t.field({ type: 'SafeInt', resolve: ({ rows }) => rows }),
    bytes: t.field({ type: 'SafeInt', resolve: ({ bytes }) => bytes }),
    dropped: t.field({
      type: 'SafeInt',
      description: 'Frames that were lost, or rows of a rate that was asked for and not kept.',
      resolve: ({ dropped }) => dropped,
    }),
    columns: t.field({ type: [ColumnRef], resolve: ({ columns }) => columns as unknown as DatasetColumn[] }),
    sha256: t.exposeString('sha256', { nullable: true }),
    files: t.field({
      type: [DataFileRef],
      resolve: ({ id, files }) => (files as unknown as DatasetFile[]).map((file) => ({ ...file, url: datasetFileUrl(id, file.name) })),
    }),
    series: t.field({
      type: [ColumnSeriesRef],
      args: {
        columns: t.arg.stringList({ required: true }),
        x: t.arg.string({ description: 'The column that gives x (times in seconds since 1970); without it the number of the row.' }),
        range: t.arg({ type: RowRangeRef }),
        maxPoints: t.arg.int({ defaultValue: 2000 }),
        reduce: t.arg({ type: ReductionEnum, defaultValue: 'MIN_MAX' }),
      },
      complexity: ({ maxPoints, columns }) => ({ field: 50 + ((maxPoints ?? 2000) * columns.length) / 20, multiplier: columns.length }),
      resolve: (dataset, { columns, x, range, maxPoints, reduce }, context) =>
        seriesOf(
          dataset,
          {
            columns,
            maxPoints: maxPoints ?? 2000,
            reduce: reduce ?? 'MIN_MAX',
            range: { from: range?.from ?? undefined, to: range?.to ?? undefined },
            ...(x != null && { x }),
          },
          context,
        ),
    }),
    table: t.field({
      type: TableSliceRef,
      args: { columns: t.arg.stringList(), range: t.arg({ type: RowRangeRef }), first: t.arg.int({ defaultValue: 100 }), after: t.arg({ type: 'Cursor' }) },
      complexity: ({ first }) => ({ field: 50 + (first ?? 100), multiplier: 1 }),
      resolve: (dataset, { columns, range, first, after: cursor }, context) =>
        tableOf(
          dataset,
          { columns: columns ?? undefined, from: range?.from ?? undefined, to: range?.to ?? undefined, first: first ?? 100, after: cursor ?? undefined },
          context,
        ),
    }),
    statistics: t.field({
      type: [ColumnStatisticsRef],
      args: { columns: t.arg.stringList() },
      complexity: { field: 200, multiplier: 10 },
      resolve: (dataset, { columns }, context) => statisticsOf(dataset, columns ?? undefined, context),
    }),
  }),
})

export const DatasetFilterRef = builder.inputType('DatasetFilter', {
  fields: (t) => ({
    sessionId: t.id(),
    runId: t.id(),
    deviceIds: t.idList(),
    kind: t.field({ type: DatasetKindEnum }),
    states: t.field({ type: [DatasetStateEnum] }),
    tags: t.stringList({ description: 'Its run or its session has all of them.' }),
    range: t.field({ type: TimeRangeRef }),
    text: t.string(),
  }),
})
const DatasetOrderEnum = builder.enumType('DatasetOrder', { values: ['CREATED_DESC', 'CREATED_ASC', 'BYTES_DESC'] as const })

builder.queryFields((t) => ({
  dataset: t.field({
    type: DatasetRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { load }) => (await load.dataset.load(localId('Dataset', id))) ?? null,
  }),
  datasets: t.field({
    type: DatasetConnectionRef,
    args: { filter: t.arg({ type: DatasetFilterRef }), orderBy: t.arg({ type: DatasetOrderEnum, defaultValue: 'CREATED_DESC' }), ...pageArgs() },
    complexity: pageCost,
    resolve: (_root, { filter, orderBy, ...args }, { database: { prisma } }) => {
      const where = datasetsWhere(filter ?? {})
      const order: Prisma.DatasetOrderByWithRelationInput[] =
        orderBy === 'BYTES_DESC'
          ? [{ bytes: 'desc' }, { id: 'desc' }]
          : orderBy === 'CREATED_ASC'
            ? [{ createdAt: 'asc' }, { id: 'asc' }]
            : [{ createdAt: 'desc' }, { id: 'desc' }]
      return pageOf(
        args,
        (take) => prisma.dataset.findMany({ where, orderBy: order, take, ...after(args) }),
        idCursor,
        () => prisma.dataset.count({ where }),
      )
    },
  }),
}))

export function datasetsWhere({ sessionId, runId, deviceIds, kind, states, tags, range, text }: typeof DatasetFilterRef.$inferInput): Prisma.DatasetWhereInput {
  const ids = deviceIds == null ? [] : localIds('Device', deviceIds)
  const contains = containing(text ?? '')
  return {
    AND: [
      sessionId == null ? {} : { sessionId: localId('Session', sessionId) },
      runId == null ? {} : { runId: localId('Run', runId) },
      deviceIds == null ? {} : { OR: [{ deviceId: { in: ids } }, { run: { devices: { some: { deviceId: { in: ids } } } } }] },
      kind == null ? {} : { kind },
      states == null ? {} : { state: { in: states } },
      tags == null ? {} : { OR: [{ run: { tags: { hasEvery: tags } } }, { session: { tags: { hasEvery: tags } } }] },
      range == null ? {} : { createdAt: within(range) },
      text == null ? {} : { OR: [{ name: contains }, { run: { summary: contains } }, { session: { title: contains } }] },
    ],
  }
}
