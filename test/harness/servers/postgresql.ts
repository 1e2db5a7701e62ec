import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from '../free-port.ts'
import type { Server } from './server.ts'
import { runAs, startServerProcess } from './server-process.ts'

const run = promisify(execFile)

/** PostgreSQL refuses to be run by root. */
const USER = process.getuid?.() === 0 ? { name: 'nobody', group: 'nogroup' } : undefined

const SETTINGS = {
  unix_socket_directories: '', // TCP with passwords, as between machines
  listen_addresses: '127.0.0.1',
  max_connections: '300', // several whole labs at once
  fsync: 'off', // a test's server outlives no power cut
  log_min_messages: 'fatal', // refused statements are what some tests are about
}

export async function startPostgresql(programs: string, folder: string, password: string): Promise<Server> {
  const data = path.join(folder, 'data')
  const passwordFile = path.join(folder, 'password')
  await writeFile(passwordFile, password, { mode: 0o600 })
  await mkdir(data)
  if (USER !== undefined) await run('chown', ['-R', USER.name, folder])
  await run('setpriv', [
    ...runAs(USER),
    path.join(programs, 'initdb'),
    ...['--pgdata', data, '--username', 'kymograph', '--auth', 'scram-sha-256', '--pwfile', passwordFile],
    ...['--encoding', 'UTF8', '--locale', 'C.UTF-8', '--no-sync'],
  ])

  const port = await freePort()
  const url = `postgresql://kymograph:${password}@127.0.0.1:${port}/postgres`
  const server = await startServerProcess({
    name: 'PostgreSQL',
    program: path.join(programs, 'postgres'),
    args: ['-D', data, '-p', String(port), ...Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    user: USER,
    stopSignal: 'SIGINT', // fast: breaks what is still connected
    serves: () => answers(url),
  })
  return { variables: { TEST_DATABASE_URL: url }, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } finally {
    await client.end().catch(() => undefined) // it was never open
  }
}
