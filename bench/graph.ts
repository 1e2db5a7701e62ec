import { uuidv7 } from '../core/id.ts'
import { impactOf } from '../graph/impact.ts'
import type { GraphStore } from '../graph/store.ts'
import { neighbourhoodOf, pathBetween } from '../graph/ways.ts'
import { project } from '../test/graph/projecting.ts'
import { Registry } from '../test/graph/registry.ts'
import { STORES } from '../test/graph/stores.ts'
import { percentile, say } from './report.ts'

/**
 * Questions to the graph of a lab of a thousand devices, and how fast it is made and followed, on the embedded store through its socket and, where
 * TEST_NEO4J_URL is set, on Neo4j. `npm run bench:graph`, or `TEST_PROFILE=services .ci/servers npm run bench:graph` for both
 */
const STATIONS = 10
const PORTS = 100
const DEVICES = 1_000
const PARAMETERS = 20 // of each device
const RUNS = 5_000
const QUESTIONS = 100

for (const { name, skipped, open } of STORES) {
  if (skipped) say(name)
  else {
    await using opened = await open()
    await measure(name, opened.store)
  }
}

async function measure(name: string, store: GraphStore): Promise<void> {
  const registry = largeLab()
  const { stations, ports, devices, sessions, runs } = registry.rows_
  const anywhere = <T>(among: readonly T[]): T => {
    const chosen = among[Math.floor(Math.random() * among.length)]
    if (chosen === undefined) throw new Error('nothing to ask of')
    return chosen
  }

  say(`${name}: ${DEVICES} devices with ${PARAMETERS} parameters each, ${RUNS} runs`)
  say(`  made from nothing in     ${((await timed(() => project(registry, store))) / 1000).toFixed(1)} s`)
  await each('one change followed', async () => {
    const run = anywhere(runs)
    run.state = run.state === 'QUEUED' ? 'RUNNING' : 'QUEUED'
    registry.note('run', run.id)
    await project(registry, store)
  })
  await each('impact of a port', () => impactOf(store, 'Port', anywhere(ports).id))
  await each('impact of a station', () => impactOf(store, 'Station', anywhere(stations).id))
  await each('way, device to station', () => pathBetween(store, { kind: 'Device', id: anywhere(devices).id }, { kind: 'Station', id: anywhere(stations).id }))
  await each('way, session to device', () => pathBetween(store, { kind: 'Session', id: anywhere(sessions).id }, { kind: 'Device', id: anywhere(devices).id }))
  await each('neighbourhood, 2 hops', () => neighbourhoodOf(store, { kind: 'Device', id: anywhere(devices).id }, 2))
}

async function each(what: string, ask: () => Promise<unknown>): Promise<void> {
  const times: number[] = []
  for (let question = 0; question < QUESTIONS; question += 1) times.push(await timed(ask))
  say(`  ${what.padEnd(24)} p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms`)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function largeLab(): Registry {
  const registry = new Registry()
  const { stations, ports, devices, parameters, sessions, runs, uses } = registry.rows_
  const ids = (count: number): string[] => Array.from({ length: count }, uuidv7)
  for (const [at, id] of ids(STATIONS).entries()) stations.push({ id, name: `station ${at}`, host: 'h' })
  for (const [at, id] of ids(PORTS).entries()) ports.push({ id, stationId: stations[at % STATIONS]?.id ?? '', address: `tcp://10.0.0.${at}:5025`, kind: 'TCP' })
  for (const [at, id] of ids(DEVICES).entries()) {
    const portId = ports[at % PORTS]?.id ?? ''
    devices.push({ id, name: `d${at}`, label: null, driverId: 'stage', portId, subAddress: null, simulated: true, enabled: true, removedAt: null })
    for (let one = 0; one < PARAMETERS; one += 1) parameters.push({ deviceId: id, name: `p${one}`, kind: 'FLOAT', access: 'READ_WRITE', unit: 'mm' })
  }
  for (const [at, id] of ids(RUNS / 10).entries()) sessions.push({ id, title: `session ${at}`, operator: 'ada', state: 'CLOSED', startedAt: at, endedAt: at })
  const rest = { planType: 'count', summary: 's', actor: 'ada', queuedAt: 1, startedAt: 1, endedAt: 1 }
  for (const [at, id] of ids(RUNS).entries()) {
    const state = at % 50 === 0 ? 'QUEUED' : 'COMPLETED'
    runs.push({ ...rest, id, number: at, sessionId: sessions[at % sessions.length]?.id ?? '', stationId: stations[at % STATIONS]?.id ?? '', state })
    for (const role of ['axis', 'detector']) uses.push({ runId: id, deviceId: devices[(at * 7 + role.length) % DEVICES]?.id ?? '', role })
  }
  return registry
}
