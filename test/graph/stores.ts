import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connectLadybug } from '../../graph/ladybug/client.ts'
import { openLadybug } from '../../graph/ladybug/engine.ts'
import { serveGraph } from '../../graph/ladybug/server.ts'
import { connectNeo4j, type Neo4jServer } from '../../graph/neo4j/store.ts'
import type { GraphPlace } from '../../graph/open.ts'
import type { GraphStore } from '../../graph/store.ts'
import { lockFolder } from '../../local/folder-lock.ts'
import { services } from '../harness/services.ts'

/** An empty store, as a process of ours sees it: the embedded one through its socket. */
export type TestStore = AsyncDisposable & { readonly store: GraphStore; readonly place: GraphPlace }

/** What Neo4j is named by; .ci/servers sets it. In the services profile only: twice would be twice the time. */
export function neo4jServer(): Neo4jServer | undefined {
  if (services() === undefined) return undefined
  const { TEST_NEO4J_URL: url, TEST_NEO4J_USER: user = 'neo4j', TEST_NEO4J_PASSWORD: password = '' } = process.env
  return url === undefined ? undefined : { url, user, password }
}

const server = neo4jServer()
export const NEO4J_SKIPPED = server === undefined
export const NEO4J_WHERE = 'in the services profile, with TEST_NEO4J_URL; .ci/servers sets it'
/** The name says aloud why there is nothing to see. */
export const STORES: readonly { readonly name: string; readonly skipped: boolean; readonly open: () => Promise<TestStore> }[] = [
  { name: 'LadybugDB', skipped: false, open: openTestLadybug },
  { name: server === undefined ? `Neo4j (skipped: only ${NEO4J_WHERE})` : 'Neo4j', skipped: NEO4J_SKIPPED, open: openTestNeo4j },
]

export async function openTestLadybug(): Promise<TestStore> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-graph-'))
  const socketPath = path.join(folder, 'graph.sock')
  const engine = await openLadybug(path.join(folder, 'graph'), (line) => process.emitWarning(line))
  const serving = await serveGraph(engine, socketPath)
  const store = connectLadybug(socketPath)
  return {
    store,
    place: { socketPath },
    async [Symbol.asyncDispose]() {
      for (const part of [store, serving, engine]) await part[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Three others may have theirs before: a lab that starts, or a thousand changes. */
export const TURN_DEADLINE_MS = 280_000

/** The community edition has one database: test files take turns. */
export async function openTestNeo4j(): Promise<TestStore> {
  if (server === undefined) throw new Error('TEST_NEO4J_URL is not set')
  const turn = await lockFolder(path.join(tmpdir(), `kymograph-test-neo4j-${new URL(server.url).port}`), { waitMs: TURN_DEADLINE_MS })
  const store = connectNeo4j(server)
  await store.write([{ text: 'MATCH (n) DETACH DELETE n', parameters: {} }])
  return {
    store,
    place: { neo4j: server },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await turn[Symbol.asyncDispose]()
    },
  }
}
