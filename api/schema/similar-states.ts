import { InvalidValue } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Contribution } from '../../core/state-vector.ts'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { parameterSource } from '../parameters.ts'
import { ParameterRef, type ParameterSource, ReadingRef, type ReadingSource, RunRef, SessionRef } from '../refs.ts'
import type { CandidateFilter } from '../states/candidates.ts'
import { chosenDevices } from '../states/reference.ts'
import { type StateMatch, similarStates } from '../states/similar.ts'
import type { StateValue } from '../states/snapshot.ts'
import { RunStateEnum } from './enums.ts'
import { StateRefRef } from './state-ref.ts'
import { TimeRangeRef } from './time-range.ts'

type ContributionSource = { readonly match: StateMatch; readonly parameter: ParameterSource; readonly distance: number }
const ContributionRef = builder.objectRef<ContributionSource>('Contribution').implement({
  description: 'The contributions of a match add up to its distance.',
  fields: (t) => ({
    parameter: t.field({ type: ParameterRef, resolve: ({ parameter }) => parameter }),
    from: t.field({ type: ReadingRef, nullable: true, resolve: async ({ match, parameter }) => readingOf(await match.from(parameter.id)) }),
    to: t.field({ type: ReadingRef, nullable: true, resolve: async ({ match, parameter }) => readingOf(await match.to(parameter.id)) }),
    distance: t.exposeFloat('distance'),
  }),
})

const StateMatchRef = builder.objectRef<StateMatch>('StateMatch').implement({
  description: 'The state of the lab at the start of a run.',
  fields: (t) => ({
    time: t.field({ type: 'Time', resolve: ({ time }) => time }),
    similarity: t.float({ description: '1 for the same, towards 0 for unlike: 1 / (1 + distance).', resolve: ({ distance }) => 1 / (1 + distance) }),
    distance: t.exposeFloat('distance', {
      description: 'The mean squared difference of what is known of both, each parameter measured by how much it usually varies.',
    }),
    session: t.field({ type: SessionRef, nullable: true, resolve: async ({ sessionId }, _args, { load }) => (await load.session.load(sessionId)) ?? null }),
    run: t.field({ type: RunRef, nullable: true, resolve: async ({ runId }, _args, { load }) => (await load.run.load(runId)) ?? null }),
    contributions: t.field({
      type: [ContributionRef],
      description: 'What makes it unlike, the largest first; all of them add up to the distance. At the end stands what is the same.',
      args: { first: t.arg.int() },
      complexity: ({ first }) => ({ field: 5, multiplier: first ?? 50 }),
      resolve: (match, { first }, context) => contributions(match, first ?? undefined, context),
    }),
  }),
})

const StateFilterRef = builder.inputType('StateFilter', {
  fields: (t) => ({
    deviceIds: t.idList({ description: 'Only these are compared.' }),
    sessionTags: t.stringList({ description: 'Its session has all of them.' }),
    operator: t.string({ description: 'Of its session.' }),
    outcome: t.field({ type: RunStateEnum }),
    range: t.field({ type: TimeRangeRef }),
    text: t.string({ description: 'In its session, in what it does, or in a note on either.' }),
  }),
})

const MAX_FIRST = 100 // each is ranked exactly among ten times as many

builder.queryField('similarStates', (t) =>
  t.field({
    type: [StateMatchRef],
    nullable: true,
    description:
      'Past hardware states nearest to one given, each with the parameters that make it alike or unlike. What is missing in either (a device was offline) ' +
      'counts for nothing; a state that has less than half in common is not compared. exact: every state is compared, however long that takes.',
    args: {
      to: t.arg({ type: StateRefRef, required: true }),
      first: t.arg.int({ defaultValue: 10 }),
      filter: t.arg({ type: StateFilterRef }),
      exact: t.arg.boolean({ defaultValue: false }),
    },
    complexity: ({ first, exact }) => ({ field: exact === true ? 10_000 : 500, multiplier: first ?? 10 }),
    resolve: async (_root, { to, first, filter, exact }, context) => {
      const count = first ?? 10
      if (count < 1 || count > MAX_FIRST) throw new InvalidValue(`first: ${count} is not allowed; give 1 to ${MAX_FIRST}`, ['first'])
      const { deviceIds, ...conditions } = filter ?? {}
      const chosen = await chosenDevices(deviceIds, context)
      return similarStates({ to, first: count, deviceIds: chosen, filter: filterOf(conditions), exact: exact ?? false }, context)
    },
  }),
)

function filterOf({ sessionTags, operator, outcome, range, text }: Omit<typeof StateFilterRef.$inferInput, 'deviceIds'>): CandidateFilter {
  return {
    sessionTags: sessionTags ?? undefined,
    operator: operator ?? undefined,
    outcome: outcome ?? undefined,
    range: range == null ? undefined : { from: range.from, to: range.to ?? undefined },
    text: text ?? undefined,
  }
}

async function contributions(match: StateMatch, first: number | undefined, context: Context): Promise<readonly ContributionSource[]> {
  if (first !== undefined && first < 1) throw new InvalidValue(`first: ${first} is not allowed; give at least 1`, ['first'])
  const chosen = match.contributions().slice(0, first)
  const sources = await parametersByKey(chosen, context)
  return chosen.flatMap(({ key, distance }) => {
    const parameter = sources.get(key)
    return parameter === undefined ? [] : [{ match, parameter, distance }]
  })
}

async function parametersByKey(chosen: readonly Contribution[], { load }: Context): Promise<ReadonlyMap<number, ParameterSource>> {
  const rows = await Promise.all(chosen.map(({ key }) => load.parameter.load(String(key))))
  return new Map(rows.flatMap((row) => (row === undefined ? [] : [[row.key, parameterSource(row.device, row.spec as unknown as ParameterSpec)]])))
}

function readingOf(value: StateValue | undefined): ReadingSource | null {
  return value === undefined ? null : { ...value.reading, unit: value.unit }
}
