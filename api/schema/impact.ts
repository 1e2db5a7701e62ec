import { NotFound, NotSupported } from '../../core/errors.ts'
import { type Impact, impactOf } from '../../graph/impact.ts'
import { IMPACT_KINDS } from '../../graph/queries.ts'
import type { Place } from '../../graph/ways.ts'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { splitParameterId } from '../global-id.ts'
import { askGraph, graphSubject } from '../graph.ts'
import { parametersOf } from '../parameters.ts'
import { DeviceRef, JobRef, ParameterRef, type ParameterSource, RunRef, SessionRef } from '../refs.ts'
import { GraphNodeRef } from './graph.ts'

type ImpactSource = Impact & { readonly subject: Place; readonly asOf: Date }

const ImpactRef = builder.objectRef<ImpactSource>('Impact').implement({
  description: 'Everything that hangs on one thing: what stops working when it is unplugged.',
  fields: (t) => ({
    asOf: t.field({ type: 'Time', description: 'Every change up to then is in it.', resolve: ({ asOf }) => asOf }),
    subject: t.field({ type: GraphNodeRef, resolve: ({ subject }) => subject }),
    devices: t.field({ type: [DeviceRef], resolve: ({ deviceIds }, _args, { load }) => present(deviceIds.map((id) => load.device.load(id))) }),
    parameters: t.field({ type: [ParameterRef], resolve: ({ parameterIds }, _args, context) => parametersWithIds(parameterIds, context) }),
    runs: t.field({
      type: [RunRef],
      description: 'Queued and active ones.',
      resolve: ({ runIds }, _args, { load }) => present(runIds.map((id) => load.run.load(id))),
    }),
    sessions: t.field({
      type: [SessionRef],
      description: 'Of these runs, and the open ones in which a device of it was used.',
      resolve: ({ sessionIds }, _args, { load }) => present(sessionIds.map((id) => load.session.load(id))),
    }),
    jobs: t.field({
      type: [JobRef],
      description: 'Of these runs.',
      resolve: async ({ runIds }, _args, { load }) => {
        const runs = await present(runIds.map((id) => load.run.load(id)))
        return present(runs.flatMap(({ jobId }) => (jobId === null ? [] : [load.job.load(jobId)])))
      },
    }),
    explanation: t.stringList({ description: 'The same in sentences.', resolve: ({ explanation }) => [...explanation] }),
  }),
})

builder.queryField('impact', (t) =>
  t.field({
    type: ImpactRef,
    nullable: true,
    description: 'Everything that depends on a station, port, device or parameter: the blast radius of unplugging it.',
    args: { of: t.arg.id({ required: true }) },
    resolve: async (_root, { of }, context) => {
      const { kind: given, id } = graphSubject(of)
      const kind = IMPACT_KINDS.find((candidate) => candidate === given)
      if (kind === undefined) throw new NotSupported(`nothing hangs on a ${given.toLowerCase()}; ask for the impact of a station, port, device or parameter`)
      const { answer, asOf } = await askGraph(context, (graph) => impactOf(graph, kind, id))
      if (answer === undefined) throw new NotFound(`${kind.toLowerCase()} with the id ${of} in the graph`)
      return { ...answer, subject: { kind, id, name: answer.name }, asOf }
    },
  }),
)

/** The graph may know what is gone by now. */
async function present<Row>(rows: readonly Promise<Row | undefined>[]): Promise<Row[]> {
  return (await Promise.all(rows)).filter((row) => row !== undefined)
}

/** In their order; each device is asked once. */
async function parametersWithIds(ids: readonly string[], context: Context): Promise<ParameterSource[]> {
  const deviceIds = [...new Set(ids.map((id) => splitParameterId(id).deviceId))]
  const devices = await present(deviceIds.map((id) => context.load.device.load(id)))
  const all = await Promise.all(devices.map((device) => parametersOf(device, context)))
  const byId = new Map(all.flat().map((parameter) => [parameter.id, parameter]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}
