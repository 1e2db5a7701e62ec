import { NS_PER_SECOND, type WallNs } from '../../core/time.ts'
import { builder } from '../builder.ts'
import type { Device } from '../loaders.ts'
import { DeviceRef, ParameterRef, type ParameterSource, ReadingRef, type ReadingSource } from '../refs.ts'
import { chosenDevices, stateAt } from '../states/reference.ts'
import { sourcesOf } from '../states/sources.ts'

export type StateEntry = {
  readonly device: Device
  readonly parameter: ParameterSource
  readonly reading: ReadingSource
  /** The moment it stands for. */
  readonly at: WallNs
}
export const StateEntryRef = builder.objectRef<StateEntry>('StateEntry').implement({
  fields: (t) => ({
    device: t.field({ type: DeviceRef, resolve: ({ device }) => device }),
    parameter: t.field({ type: ParameterRef, resolve: ({ parameter }) => parameter }),
    reading: t.field({ type: ReadingRef, resolve: ({ reading }) => reading }),
    age: t.float({
      nullable: true,
      description: 'In seconds: how long before that moment it was so.',
      resolve: ({ reading, at }) => Number(at - reading.time) / Number(NS_PER_SECOND),
    }),
  }),
})

type LabState = { readonly time: WallNs; readonly readings: readonly StateEntry[] }
const LabStateRef = builder.objectRef<LabState>('LabState').implement({
  fields: (t) => ({
    time: t.field({ type: 'Time', resolve: ({ time }) => time }),
    readings: t.field({ type: [StateEntryRef], complexity: { field: 1, multiplier: 50 }, resolve: ({ readings }) => readings }),
  }),
})

builder.queryField('labState', (t) =>
  t.field({
    type: LabStateRef,
    description:
      'What every parameter was at one moment; the past through the same type as the present. A value that nobody had read for two heartbeats is STALE.',
    args: { at: t.arg({ type: 'Time' }), deviceIds: t.arg.idList() },
    complexity: 100,
    resolve: async (_root, { at, deviceIds }, context): Promise<LabState> => {
      const { time, values } = await stateAt(at ?? undefined, await chosenDevices(deviceIds, context), context)
      const sources = await sourcesOf(
        [...values.values()].map(({ deviceId }) => deviceId),
        context,
      )
      const readings = [...values].flatMap(([id, { unit, reading }]) => {
        const source = sources.get(id)
        return source === undefined ? [] : [{ ...source, reading: { ...reading, unit }, at: time }]
      })
      return { time, readings }
    },
  }),
)
