import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SIMULATED_DEVICES } from '../../local/lab/devices.ts'
import { startEmptyDatabase } from '../harness/database.ts'
import { freePort } from '../harness/free-port.ts'
import { query } from '../harness/graphql.ts'
import { launchWholeLab, processesOf, startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'

/** The real thing: every process from dist, under its supervisor. */

const CHILDREN = ['api', 'compute', 'database', 'graph', 'lab', 'station'] // compute dies right before the database: it must not fall over it while it comes back

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-whole-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function pidsOf(lab: WholeLab): Promise<Record<string, number>> {
  const { supervisor: _, ...children } = await lab.processes()
  return children
}

async function answers(lab: WholeLab): Promise<boolean> {
  const { devices } = await query<{ devices: { edges: unknown[] } }>(lab.url, '{ devices { edges { node { name } } } }')
  return devices.edges.length === SIMULATED_DEVICES.length
}

/** Exit status and what was said by a start that is meant to fail. */
async function failedStart(env: NodeJS.ProcessEnv): Promise<{ status: number | null; said: string; left: number }> {
  const dataDir = env['DATA_DIR'] ?? path.join(folder, 'failing')
  const lab = await launchWholeLab({ dataDir, env })
  if (lab.supervisor.exitCode === null) await once(lab.supervisor, 'exit')
  const left = (await processesOf(dataDir)).filter(({ pid }) => pid !== lab.supervisor.pid)
  return { status: lab.supervisor.exitCode, said: lab.output().trim(), left: env['DATA_DIR'] === undefined ? left.length : 0 }
}

describe('npm start', () => {
  it('stops in order on Ctrl-C, leaves no process, goes on from its data, and leaves none either when npm is told to end', async () => {
    const dataDir = path.join(folder, 'data')
    await using first = await startWholeLab({ dataDir })
    expect(Object.keys(await pidsOf(first)).sort()).toEqual(CHILDREN)
    expect(first.output()).toContain(`dashboard   ${first.url}/\n`)
    expect(first.output()).toContain(`playground  ${first.url}/graphql\n`)
    await until(() => answers(first))
    await query(first.url, 'mutation { startSession(input: { title: "kept" }) { __typename } }')
    await first.stop()
    expect(first.supervisor.exitCode).toBe(0)
    expect(first.output()).not.toMatch(/killed|starts again/)

    const starter = path.join(import.meta.dirname, '../harness/start-built.mjs')
    // as npm does: a shell that does not pass the signal on
    const shell = spawn('/bin/sh', ['-c', `${process.execPath} ${starter}; true`], {
      env: { ...process.env, DATA_DIR: dataDir, PORT: String(first.port), RING_DIR: path.join(dataDir, 'ring') },
      stdio: 'ignore',
    })
    try {
      const { sessions, devices } = await until(
        () =>
          query<{ sessions: { edges: { node: { title: string } }[] }; devices: { edges: unknown[] } }>(
            first.url,
            '{ sessions { edges { node { title } } } devices { edges { node { name } } } }',
          ),
        { deadlineMs: 120_000, what: 'an answer of the next life' },
      )
      expect(sessions.edges.map(({ node }) => node.title)).toEqual(['kept'])
      expect(devices.edges).toHaveLength(SIMULATED_DEVICES.length)
    } finally {
      shell.kill('SIGTERM')
      await until(async () => (await processesOf(dataDir)).length === 0, { deadlineMs: 60_000, what: 'the end of every process' })
    }
  }, 300_000)

  it('stands on a server of yours when DATABASE_URL names one', async () => {
    const server = await startEmptyDatabase()
    const lab = await startWholeLab({ env: { DATABASE_URL: server.url } })
    try {
      expect(Object.keys(await pidsOf(lab)).sort()).toEqual(CHILDREN.filter((name) => name !== 'database'))
      expect(existsSync(path.join(lab.dataDir, 'database'))).toBe(false)
      await until(() => answers(lab))
    } finally {
      await lab.stop()
      await server.stop()
    }
  }, 240_000)
})

describe('a lab that runs', () => {
  let dataDir: string
  let running: WholeLab | undefined
  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'kymograph-running-'))
  })
  afterAll(async () => {
    await running?.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  /** One for all of these tests, which each leave one that answers: a start takes long. */
  async function theLab(): Promise<WholeLab> {
    running ??= await startWholeLab({ dataDir, env: { LOG_LEVEL: 'info' } })
    return running
  }

  it('keeps its data folder: another start is refused in one sentence', async () => {
    const lab = await theLab()
    const { status, said } = await failedStart({ DATA_DIR: lab.dataDir })
    expect(status).toBe(1)
    expect(said).toMatch(new RegExp(`^kymograph: the folder ${lab.dataDir} is in use by process ${lab.supervisor.pid}, running since [^\n]*; stop it first$`))
    expect(await answers(lab)).toBe(true)
  }, 240_000)

  it('starts each process again after kill -9, says so, and answers again', async () => {
    const lab = await theLab()
    const already = lab.output().length
    const said = (): string => lab.output().slice(already)
    for (const name of CHILDREN) {
      const before = await pidsOf(lab)
      process.kill(before[name] ?? 0, 'SIGKILL')
      await until(() => said().includes(`${name} is back`), { deadlineMs: 60_000, what: `the return of ${name}` })
      await until(() => answers(lab), { deadlineMs: 60_000, everyMs: 50, what: `an answer after the return of ${name}` })
      const after = await pidsOf(lab)
      expect(after[name], said()).not.toBe(before[name])
      expect(after, said()).toMatchObject(Object.fromEntries(Object.entries(before).filter(([other]) => other !== name))) // nobody else went with it
      expect(said()).toContain(`${name} ended (signal SIGKILL) and starts again`)
    }
  }, 300_000)

  it('leaves no process when the supervisor is killed with -9, and the next start waits for the rest', async () => {
    const lab = await theLab()
    const device = await until(
      async () => {
        const answer = await query<{ device: { id: string; connection: string } }>(lab.url, '{ device(name: "stage-x") { id connection } }')
        return answer.device.connection === 'CONNECTED' && answer.device
      },
      { what: 'a stage to move' },
    )
    await query(lab.url, 'mutation ($id: ID!) { move(input: { deviceId: $id, to: 24, wait: false }) { ... on Problem { message } } }', { id: device.id })
    const already = lab.output().length
    lab.supervisor.kill('SIGKILL')
    running = undefined
    running = await startWholeLab({ dataDir, env: { PORT: String(lab.port), LOG_LEVEL: 'info' } })
    expect(await answers(running)).toBe(true)
    const now = new Set(Object.values(await running.processes()))
    expect((await processesOf(dataDir)).filter(({ pid }) => !now.has(pid))).toEqual([])
    // every process stopped in order, the station with its motion first
    const said = lab.output().slice(already)
    expect(said).not.toMatch(/could not be stopped|Unhandled|^Node\.js v/m)
    expect(said).toContain('stage-x is disconnected')
  }, 240_000)
})

describe('npm start that cannot start says why in one sentence, with status 1, and leaves nothing', () => {
  it('when the port is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    expect(await failedStart({ PORT: String(port) })).toEqual({
      status: 1,
      said: `kymograph: port ${port} of 127.0.0.1 is taken by another program; set PORT to a free one`,
      left: 0,
    })
    await new Promise((resolve) => server.close(resolve))
  })

  it('when a server is away', async () => {
    const port = await freePort()
    expect(await failedStart({ DATABASE_URL: `postgresql://anna:secret@127.0.0.1:${port}/lab` })).toEqual({
      status: 1,
      said: `kymograph: DATABASE_URL postgresql://anna:***@127.0.0.1:${port}/lab cannot be used: connect ECONNREFUSED 127.0.0.1:${port}`,
      left: 0,
    })
    expect(await failedStart({ REDIS_URL: `redis://127.0.0.1:${port}` })).toEqual({
      status: 1,
      said: `kymograph: REDIS_URL redis://127.0.0.1:${port} cannot be used: connect ECONNREFUSED 127.0.0.1:${port}`,
      left: 0,
    })
  })

  it('when a variable or the folder is wrong', async () => {
    expect(await failedStart({ SIMULATED_LAB: 'maybe' })).toEqual({ status: 1, said: 'kymograph: SIMULATED_LAB is "maybe"; allowed are on, off', left: 0 })
    const file = path.join(folder, 'file')
    await writeFile(file, '')
    const { status, said } = await failedStart({ DATA_DIR: path.join(file, 'data') })
    expect(status).toBe(1)
    expect(said).toMatch(/^kymograph: DATA_DIR \S+ cannot be made: ENOTDIR[^\n]*$/)
  })
})
