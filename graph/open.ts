import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connectLadybug } from './ladybug/client.ts'
import { connectNeo4j, NEO4J_PROTOCOLS, type Neo4jServer } from './neo4j/store.ts'
import type { GraphStore } from './store.ts'

/** Where the graph is: a server that was named, or else the embedded store of this data folder. Nothing ever falls from the one to the other. */
export type GraphPlace = { readonly neo4j: Neo4jServer } | { readonly socketPath: string }

export function openGraph(place: GraphPlace): GraphStore {
  return 'neo4j' in place ? connectNeo4j(place.neo4j) : connectLadybug(place.socketPath)
}

const MAX_SOCKET_PATH_BYTES = 100 // the kernels take 104 (macOS) and 108 (Linux)
const DEFAULT_USER = 'neo4j'

/** From NEO4J_URL, NEO4J_USER and NEO4J_PASSWORD as the environment has them. Throws a sentence that names the variable, without the password. */
export function graphPlace(dataDir: string, given: { url: string | undefined; user: string | undefined; password: string | undefined }): GraphPlace {
  const { url, user, password } = given
  if (url === undefined) return { socketPath: graphSocketPath(dataDir) }
  const allowed = NEO4J_PROTOCOLS.map((protocol) => `${protocol}//`).join(', ')
  if (!URL.canParse(url)) throw new Error(`NEO4J_URL is not a URL; it begins with one of ${allowed}`)
  const { protocol, username } = new URL(url)
  if (!NEO4J_PROTOCOLS.includes(protocol)) throw new Error(`NEO4J_URL begins with ${protocol}//; allowed are ${allowed}`)
  if (username !== '') throw new Error('NEO4J_URL holds a user name; it belongs in NEO4J_USER, the password in NEO4J_PASSWORD')
  return { neo4j: { url, user: user ?? DEFAULT_USER, password: password ?? '' } }
}

/** Below the data folder, or where that is too deep for a socket's path, below the system's folder for temporary files. */
export function graphSocketPath(dataDir: string): string {
  const near = path.join(dataDir, 'run', 'graph.sock')
  if (Buffer.byteLength(near) < MAX_SOCKET_PATH_BYTES) return near
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  return path.join(tmpdir(), `kymograph-${hash}`, 'graph.sock')
}
