import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** Below those that Linux gives to connections and to whoever asks for any (net.ipv4.ip_local_port_range, 32768 by default), above what services use. */
const [LOWEST, BEYOND] = [20_000, 32_768]
const TRIES = 100

/** Keeps each port for this process until it ends: a socket in the abstract namespace, which leaves no file. */
const kept: Server[] = []

/**
 * A port where nothing listens. No other process that asks here gets it as long as this one lives, and no connection gets it by chance, also while what
 * listens there is away and starts again.
 */
export async function freePort(draw = () => randomInt(LOWEST, BEYOND)): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = draw()
    const reservation = await listening({ path: `\0kymograph-test-port-${port}` })
    if (reservation === undefined) continue
    kept.push(reservation.unref())
    const probe = await listening({ port, host: '127.0.0.1' })
    if (probe === undefined) continue
    await new Promise((resolve) => probe.close(resolve))
    return port
  }
  throw new Error(`no port from ${LOWEST} to ${BEYOND} was free in ${TRIES} tries`)
}

/** undefined where another one listens. */
async function listening(place: { readonly path: string } | { readonly port: number; readonly host: string }): Promise<Server | undefined> {
  const server = createServer()
  try {
    await once(server.listen(place), 'listening')
    return server
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined
    throw error
  }
}
