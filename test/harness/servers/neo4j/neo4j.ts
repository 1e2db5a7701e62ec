import path from 'node:path'
import { freePort } from '../../free-port.ts'
import type { Server } from '../server.ts'
import { startServerProcess } from '../server-process.ts'

/** It starts in half the time, and a test's graph is small. */
const JAVA_OPTIONS = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** `libraries`: the folder of jar files that .ci/install-servers fills. */
export async function startNeo4j(libraries: string, folder: string, password: string): Promise<Server> {
  const port = await freePort()
  const server = await startServerProcess({
    name: 'Neo4j',
    program: 'java',
    args: [...JAVA_OPTIONS, '-cp', path.join(libraries, '*'), path.join(import.meta.dirname, 'Neo4jServer.java'), folder, String(port), password],
    stopSignal: 'SIGTERM',
    serves: async (output) => output.includes('serves'),
  })
  return {
    variables: { TEST_NEO4J_URL: `bolt://127.0.0.1:${port}`, TEST_NEO4J_USER: 'neo4j', TEST_NEO4J_PASSWORD: password },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
