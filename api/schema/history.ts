import type { Cause } from '../../core/cause.ts'
import { type PastUnit, unitAt } from '../../core/history.ts'
import { restoreReading, type StoredReading } from '../../core/stored-reading.ts'
import { builder } from '../builder.ts'
import { after, connectionRef, idCursor, pageArgs, pageCost, pageOf } from '../connection.ts'
import type { Context } from '../context.ts'
import { presentCursor } from '../cursor.ts'
import { readHistory } from '../history/series.ts'
import type { ParameterChange } from '../loaders.ts'
import { nowNs } from '../now.ts'
import { ParameterRef, type ParameterSource, ReadingRef, type ReadingSource } from '../refs.ts'
import { CauseRef } from './cause.ts'
import { ReductionEnum } from './enums.ts'
import { SeriesRef } from './series.ts'
import { TimeRangeRef } from './time-range.ts'

type ChangeSource = ParameterChange & { readonly source: ParameterSource; readonly pastUnits: readonly PastUnit[] }
const ParameterChangeRef = builder.objectRef<ChangeSource>('ParameterChange').implement({
  fields: (t) => ({
    time: t.field({ type: 'Time', resolve: ({ time }) => time }),
    parameter: t.field({ type: ParameterRef, resolve: ({ source }) => source }),
    old: t.field({
      type: ReadingRef,
      nullable: true,
      resolve: ({ old, ...change }) => (old === null ? null : readingOf(old as unknown as StoredReading, change)),
    }),
    new: t.field({ type: ReadingRef, resolve: (change) => readingOf(change.new as unknown as StoredReading, change) }),
    cause: t.field({ type: CauseRef, resolve: ({ cause }) => cause as unknown as Cause }),
  }),
})
const ParameterChangeConnectionRef = connectionRef('ParameterChange', ParameterChangeRef)

builder.objectFields(ParameterRef, (t) => ({
  history: t.field({
    type: SeriesRef,
    description:
      'What was recorded of it: every change beyond its deadband, every change of quality, and a sample a minute while it is read. The first point is what it was at the beginning of the range. Where nobody read it for two heartbeats it is STALE: a point without a value says so.',
    args: {
      range: t.arg({ type: TimeRangeRef, required: true }),
      maxPoints: t.arg.int({ defaultValue: 1000 }),
      reduce: t.arg({ type: ReductionEnum, defaultValue: 'MIN_MAX' }),
      unit: t.arg.string(),
    },
    complexity: ({ maxPoints }) => ({ field: 20 + (maxPoints ?? 1000) / 20, multiplier: 1 }),
    resolve: async (parameter, { range, maxPoints, reduce, unit }, context) =>
      readHistory(context.database, {
        ...(await rowOf(parameter, context)),
        deviceId: parameter.device.id,
        spec: parameter.spec,
        textual: !['FLOAT', 'INTEGER', 'BOOLEAN'].includes(parameter.spec.kind),
        unit: parameter.spec.unit,
        askedUnit: unit ?? undefined,
        from: range.from,
        to: range.to ?? nowNs(),
        maxPoints: maxPoints ?? 1000,
        reduction: reduce ?? 'MIN_MAX',
        cursor: await presentCursor(context),
      }),
  }),
  changes: t.field({
    type: ParameterChangeConnectionRef,
    description: 'Who or what changed it, and why; the newest first.',
    args: pageArgs(),
    complexity: pageCost,
    resolve: async (source, args, context) => {
      const { pastUnits, ...where } = await rowOf(source, context)
      const orderBy = [{ time: 'desc' as const }, { id: 'desc' as const }]
      return pageOf(
        args,
        async (take) =>
          (await context.database.prisma.parameterChange.findMany({ where, orderBy, take, ...after(args) })).map((change) => ({
            ...change,
            source,
            pastUnits,
          })),
        idCursor,
      )
    },
  }),
}))

/** 0, which no parameter has, until the station has told the database of it: an empty history. */
async function rowOf(
  { device, spec }: ParameterSource,
  { load }: Context,
): Promise<{ readonly parameterKey: number; readonly pastUnits: readonly PastUnit[] }> {
  const row = (await load.parametersOfDevice.load(device.id)).find(({ name }) => name === spec.name)
  return { parameterKey: row?.key ?? 0, pastUnits: (row?.pastUnits ?? []) as unknown as readonly PastUnit[] }
}

function readingOf(stored: StoredReading, { source, pastUnits }: Pick<ChangeSource, 'source' | 'pastUnits'>): ReadingSource {
  const reading = restoreReading(stored)
  return { ...reading, unit: unitAt(reading.time, source.spec.unit, pastUnits) }
}
