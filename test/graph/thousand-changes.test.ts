import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectLadybug } from '../../graph/ladybug/client.ts'
import type { GraphPlace } from '../../graph/open.ts'
import type { GraphSource, Standing } from '../../graph/source.ts'
import type { GraphStore } from '../../graph/store.ts'
import { type Database, openDatabase } from '../../prisma/client.ts'
import { graphSource } from '../../workers/graph/source.ts'
import { startTestDatabase, type TestDatabase } from '../harness/database.ts'
import { until } from '../until.ts'
import { picture, project } from './projecting.ts'
import { RandomRegistry } from './random-registry.ts'
import { NEO4J_SKIPPED, NEO4J_WHERE, openTestLadybug, openTestNeo4j, TURN_DEADLINE_MS } from './stores.ts'

const CHANGES = 1_000
const SEED = 20_261_120
const KILL_EVERY = 120

let server: TestDatabase
let database: Database
beforeEach(async () => {
  server = await startTestDatabase()
  database = openDatabase(server.url, { onError: () => undefined })
})
afterEach(async () => {
  await database[Symbol.asyncDispose]()
  await server.stop()
})

describe('after a thousand random changes of the registry, with kill -9 in between', () => {
  it('the embedded graph equals one made anew', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-graph-'))
    const socketPath = path.join(folder, 'graph.sock')
    const graph = new Mortal(new URL('./graph-process.ts', import.meta.url), [path.join(folder, 'graph'), socketPath], 'serves')
    await using store = connectLadybug(socketPath)
    try {
      await graph.start()
      await changeAndKill(store, { socketPath }, graph)
    } finally {
      await graph.kill()
      await rm(folder, { recursive: true, force: true })
    }
  }, 300_000)

  it.skipIf(NEO4J_SKIPPED)(
    `Neo4j's equals one made anew${NEO4J_SKIPPED ? ` (skipped: only ${NEO4J_WHERE})` : ''}`,
    async () => {
      await using opened = await openTestNeo4j()
      await changeAndKill(opened.store, opened.place)
    },
    TURN_DEADLINE_MS + 300_000,
  )
})

async function changeAndKill(store: GraphStore, place: GraphPlace, graph?: Mortal): Promise<void> {
  const projector = new Mortal(new URL('./projector-process.ts', import.meta.url), [server.url, JSON.stringify(place)], 'projects')
  const registry = new RandomRegistry(database.pool, SEED)
  const isInStep = async (): Promise<boolean> => (await database.pool.query('SELECT FROM "graph_change" LIMIT 1')).rowCount === 0
  try {
    await projector.start()
    await until(() => projector.output.includes('the graph is whole'), { deadlineMs: 60_000, what: 'the first graph' })
    for (let change = 1; change <= CHANGES; change += 1) {
      await registry.change()
      if (change % KILL_EVERY === 60) {
        await until(async () => !(await isInStep()) || (await registry.change()), { what: 'work for the projector' })
        await projector.kill()
        if (graph !== undefined && (change / KILL_EVERY) % 2 < 1) {
          await graph.kill()
          await graph.start()
        }
        void projector.start()
      } else if (change % KILL_EVERY === 0) {
        await projector.started
        await until(isInStep, { deadlineMs: 60_000, what: 'a graph in step' })
        await server.dropClients() // notifications are lost with the connection
        await until(async () => (await database.pool.query('SELECT')).rowCount === 1)
      }
    }
    await projector.started
    await until(isInStep, { deadlineMs: 60_000, what: 'a graph in step' })
  } catch (error) {
    throw new Error(`${String(error)}\n${projector.output}\n${graph?.output ?? ''}`, { cause: error })
  } finally {
    await projector.kill()
  }

  const grown = await picture(store)
  await using anew = await openTestLadybug()
  await project(unbelieving(graphSource(database.pool)), anew.store)
  expect(grown).toEqual(await picture(anew.store))
  expect(grown.nodes.length).toBeGreaterThan(300)
  expect(projector.output.match(/made anew/g)).toHaveLength(1) // it went on each time, and did not only begin again
}

/** The same database, as if it never had a graph. */
function unbelieving(source: GraphSource): GraphSource {
  let standing: Standing | undefined
  return {
    ...source,
    standing: async () => standing,
    setStanding: async (next) => {
      standing = next
    },
    pending: async () => [],
  }
}

/** A process that is killed and started again. */
class Mortal {
  readonly #file: string
  readonly #args: readonly string[]
  readonly #ready: string
  #child: ChildProcess | undefined
  output = ''
  started: Promise<void> = Promise.resolve()

  constructor(file: URL, args: readonly string[], ready: string) {
    this.#file = fileURLToPath(file)
    this.#args = args
    this.#ready = ready
  }

  start(): Promise<void> {
    const child = spawn(process.execPath, ['--import', 'tsx', this.#file, ...this.#args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8')
        this.output += chunk.toString('utf8')
      })
    this.started = until(() => output.includes(this.#ready), { deadlineMs: 60_000, what: `the start of ${path.basename(this.#file)}` }).then(() => undefined)
    return this.started
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }
}
