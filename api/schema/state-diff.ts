import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import type { Device } from '../loaders.ts'
import { DeviceRef, ParameterRef, type ParameterSource, ReadingRef } from '../refs.ts'
import { type Difference, differencesOf } from '../states/difference.ts'
import { chosenDevices, type StateRefGiven, stateOf } from '../states/reference.ts'
import { sourcesOf } from '../states/sources.ts'
import { StateRefRef } from './state-ref.ts'

type ParameterDifference = Difference & { readonly source: { readonly device: Device; readonly parameter: ParameterSource } }
export const ParameterDifferenceRef = builder.objectRef<ParameterDifference>('ParameterDifference').implement({
  fields: (t) => ({
    device: t.field({ type: DeviceRef, resolve: ({ source }) => source.device }),
    parameter: t.field({ type: ParameterRef, resolve: ({ source }) => source.parameter }),
    from: t.field({ type: ReadingRef, nullable: true, description: 'null where nothing was known of it.', resolve: ({ from }) => from ?? null }),
    to: t.field({ type: ReadingRef, description: 'BAD where nothing is known of it any more.', resolve: ({ to }) => to }),
    delta: t.float({ nullable: true, description: 'to minus from, in the unit of to.', resolve: ({ delta }) => delta ?? null }),
    relative: t.float({ nullable: true, description: 'delta by the size of from.', resolve: ({ relative }) => relative ?? null }),
  }),
})

builder.queryField('stateDiff', (t) =>
  t.field({
    type: [ParameterDifferenceRef],
    description:
      'What differs by more than its deadband: settings before what was measured, each the largest relative change first. A preset is compared in what it holds.',
    args: { from: t.arg({ type: StateRefRef, required: true }), to: t.arg({ type: StateRefRef, required: true }), deviceIds: t.arg.idList() },
    complexity: { field: 100, multiplier: 50 },
    resolve: (_root, { from, to, deviceIds }, context) => stateDifferences(from, to, deviceIds, context),
  }),
)

export async function stateDifferences(
  from: StateRefGiven,
  to: StateRefGiven,
  deviceIds: readonly string[] | null | undefined,
  context: Context,
): Promise<readonly ParameterDifference[]> {
  const chosen = await chosenDevices(deviceIds, context)
  const [before, after] = await Promise.all([stateOf(from, chosen, context), stateOf(to, chosen, context)])
  const devices = [...before.values.values(), ...after.values.values()].map(({ deviceId }) => deviceId)
  const sources = await sourcesOf(devices, context)
  return differencesOf(before, after, (id) => sources.get(id)?.parameter.spec).flatMap((difference) => {
    const source = sources.get(`${difference.deviceId}/${difference.parameter}`)
    return source === undefined ? [] : [{ ...difference, source }]
  })
}
