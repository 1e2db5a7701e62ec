import { connect } from 'node:net'
import { freePort } from '../free-port.ts'
import type { Server } from './server.ts'
import { startServerProcess } from './server-process.ts'

/** One database for each test that runs a whole lab: labs that share one would take each other's jobs. */
const DATABASES = 1024

export async function startRedis(folder: string, password: string): Promise<Server> {
  const port = await freePort()
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    save: '', // nothing to keep
    requirepass: password,
    databases: String(DATABASES),
    'maxmemory-policy': 'noeviction', // BullMQ's demand
  }
  const server = await startServerProcess({
    name: 'Redis',
    program: 'redis-server',
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    stopSignal: 'SIGTERM',
    serves: () => accepts(port),
  })
  return { variables: { TEST_REDIS_URL: `redis://:${password}@127.0.0.1:${port}` }, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
