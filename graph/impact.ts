import { ACTIVE_RUN_STATES, type RunState } from '../core/run.ts'
import { IMPACT_DEVICES, IMPACT_PARAMETERS, IMPACT_RUNS, IMPACT_SESSIONS, type ImpactKind, NODES_BY_ID } from './queries.ts'
import type { GraphStore } from './store.ts'

/** Everything that hangs on one thing: what stops working when it is unplugged. */
export type Impact = {
  readonly name: string
  readonly deviceIds: readonly string[]
  readonly parameterIds: readonly string[]
  /** Queued and active ones. */
  readonly runIds: readonly string[]
  /** Of these runs, and the open ones whose runs used a device of it. */
  readonly sessionIds: readonly string[]
  /** The same in sentences. */
  readonly explanation: readonly string[]
}

type RunUse = {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly sessionId: string
  readonly session: string
  readonly device: string
  readonly role: string
}
type Named = { readonly id: string; readonly name: string }

const MAX_DEVICES = 2_000 // twice the largest lab that we think of
const MAX_PARAMETERS = 5_000 // more is not read by anybody; the explanation counts what there is up to here
const MAX_RUNS = 500
const MAX_NAMES = 12 // in one sentence
const WAITING_OR_ACTIVE: readonly RunState[] = ['QUEUED', ...ACTIVE_RUN_STATES]

/** undefined where the graph has no such node. Throws GraphUnavailable. */
export async function impactOf(store: GraphStore, kind: ImpactKind, id: string): Promise<Impact | undefined> {
  const [[subject], devices, parameters, uses, open] = await Promise.all([
    store.read<Named>(NODES_BY_ID[kind], { ids: [id] }),
    store.read<Named>(IMPACT_DEVICES[kind], { id, limit: MAX_DEVICES }),
    store.read<{ id: string }>(IMPACT_PARAMETERS[kind], { id, limit: MAX_PARAMETERS }),
    store.read<RunUse>(IMPACT_RUNS[kind], { id, states: WAITING_OR_ACTIVE, limit: MAX_RUNS }),
    store.read<Named>(IMPACT_SESSIONS[kind], { id, limit: MAX_RUNS }),
  ])
  if (subject === undefined) return undefined
  return {
    name: subject.name,
    deviceIds: devices.map((device) => device.id),
    parameterIds: parameters.map((parameter) => parameter.id),
    runIds: distinct(uses.map((use) => use.id)),
    sessionIds: distinct([...uses.map(({ sessionId }) => sessionId), ...open.map((session) => session.id)]),
    explanation: explain(kind, subject.name, devices, parameters.length, uses, open),
  }
}

function explain(
  kind: ImpactKind,
  name: string,
  devices: readonly Named[],
  parameters: number,
  uses: readonly RunUse[],
  open: readonly Named[],
): readonly string[] {
  return [
    ...deviceSentences(kind, name, devices, parameters),
    ...distinct(uses.map((use) => use.id)).map((id) => runSentence(uses.filter((use) => use.id === id))),
    ...(uses.length === 0 ? ['no run waits for it or is under way on it'] : []),
    ...open.filter(({ id }) => !uses.some(({ sessionId }) => sessionId === id)).map((session) => `the open session “${session.name}” has used it`),
  ]
}

function deviceSentences(kind: ImpactKind, name: string, devices: readonly Named[], parameters: number): readonly string[] {
  switch (kind) {
    case 'Station':
    case 'Port': {
      const subject = `the ${kind.toLowerCase()} ${name}`
      if (devices.length === 0) return [`no device hangs on ${subject}`]
      return [`${counted(devices.length, 'device')} ${devices.length === 1 ? 'hangs' : 'hang'} on ${subject}: ${listed(devices)}`, lost(parameters)]
    }
    case 'Device':
      return [`${name} can then not be reached any more`, lost(parameters)]
    case 'Parameter':
      return [`${name} belongs to ${listed(devices)}`]
  }
}

function lost(parameters: number): string {
  const shown = parameters === MAX_PARAMETERS ? `at least ${parameters}` : String(parameters)
  return parameters === 1 ? '1 parameter can then neither be read nor set' : `${shown} parameters can then neither be read nor set`
}

function runSentence(uses: readonly RunUse[]): string {
  const [first] = uses
  if (first === undefined) return ''
  const state = first.state === 'QUEUED' ? 'waits for' : `is ${first.state.toLowerCase()} and uses`
  const devices = uses.map(({ device, role }) => (role === '' || role === device ? device : `${device} as ${role}`)).join(', ')
  return `${first.name} of the session “${first.session}” ${state} ${devices}`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function listed(nodes: readonly Named[]): string {
  const names = nodes.slice(0, MAX_NAMES).map(({ name }) => name)
  return nodes.length > MAX_NAMES ? `${names.join(', ')} and ${nodes.length - MAX_NAMES} more` : names.join(', ')
}

function distinct(ids: readonly string[]): string[] {
  return [...new Set(ids)]
}
