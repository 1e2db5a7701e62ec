import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { SIMULATED_DEVICES } from '../../local/lab/devices.ts'
import { neo4jServer, openTestNeo4j, TURN_DEADLINE_MS } from '../graph/stores.ts'
import { startEmptyDatabase } from '../harness/database.ts'
import { freePort } from '../harness/free-port.ts'
import { query } from '../harness/graphql.ts'
import { processesOf } from '../harness/lab.ts'
import { services as servers } from '../harness/services.ts'
import { until } from '../until.ts'
import { PROJECT, readComposeFile, readComposeText, withDefaults } from './compose-file.ts'

const { services, volumes } = readComposeFile()
const OURS = ['migrate', 'station', 'compute', 'api']
const OF_NODE = ['UV_THREADPOOL_SIZE']
/** Of the servers and of the image, not of our processes. */
const NOT_TOLD = ['POSTGRES_PASSWORD', 'KYMOGRAPH_COMMIT']

describe('docker-compose.yml', () => {
  it('describes the whole lab', () => {
    expect(Object.keys(services)).toEqual(['postgres', 'redis', 'neo4j', ...OURS])
  })

  it('names variables as .env.example does, and passes all of them on', () => {
    const example = [...readFileSync(path.join(PROJECT, '.env.example'), 'utf8').matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name)
    const read = [...readComposeText().matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name)
    expect(read.filter((name) => !example.includes(name))).toEqual([])
    for (const name of OURS) {
      const told = Object.keys(services[name]?.environment ?? {}).filter((variable) => !OF_NODE.includes(variable))
      expect(told.sort()).toEqual(example.filter((variable = '') => !NOT_TOLD.includes(variable)).sort())
    }
  })

  it('tells the image which commit it is made of, for the manifests', () => {
    const dockerfile = readFileSync(path.join(PROJECT, 'Dockerfile'), 'utf8')
    for (const name of OURS) expect(services[name]?.build?.args).toEqual({ KYMOGRAPH_COMMIT: expect.stringContaining('KYMOGRAPH_COMMIT') })
    expect(dockerfile).toMatch(/^ARG KYMOGRAPH_COMMIT=\nENV KYMOGRAPH_COMMIT=\$KYMOGRAPH_COMMIT/m)
  })

  it('watches the health of everything that goes on, and starts nothing of ours before its servers', () => {
    const unwatched = Object.entries(services).filter(([, { healthcheck }]) => healthcheck === undefined)
    expect(unwatched.map(([name]) => name)).toEqual(['migrate'])
    for (const [name, { depends_on = {} }] of Object.entries(services))
      for (const [other, { condition }] of Object.entries(depends_on))
        expect([name, other, condition]).toEqual([name, other, other === 'migrate' ? 'service_completed_successfully' : 'service_healthy'])
  })

  it('keeps what must outlive a container in volumes that it declares', () => {
    for (const { volumes: used = [] } of Object.values(services)) for (const volume of used) expect(Object.keys(volumes)).toContain(volume.split(':')[0])
    for (const name of ['postgres', 'redis', 'neo4j', 'station', 'api']) expect(services[name]?.volumes).toHaveLength(1)
  })
})

const MISSING = servers() === undefined || neo4jServer() === undefined
const why = MISSING ? ' (skipped: TEST_DATABASE_URL, TEST_REDIS_URL or TEST_NEO4J_URL is not set; .ci/servers sets them)' : ''

/** The commands, environment and health checks of the file, with places of this test, as processes of this machine. */
describe.skipIf(MISSING)(`the processes as docker-compose.yml starts them${why}`, () => {
  it('come up one by one, are healthy, serve the simulated lab, and stop when asked', { timeout: TURN_DEADLINE_MS + 300_000 }, async () => {
    const neo4j = neo4jServer()
    await using _turn = await openTestNeo4j()
    const database = await startEmptyDatabase()
    const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-compose-'))
    const places: Record<string, string | number> = {
      DATA_DIR: folder,
      LAB_DIR: path.join(folder, 'lab'),
      RING_DIR: path.join(folder, 'ring'),
      DATABASE_URL: database.url,
      REDIS_URL: database.redisUrl ?? '',
      NEO4J_URL: neo4j?.url ?? '',
      NEO4J_USER: neo4j?.user ?? '',
      NEO4J_PASSWORD: neo4j?.password ?? '',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
    }
    const ports = new Map<string, number>()
    for (const name of ['PORT', 'STATION_STOP_PORT', 'COMPUTE_PROBE_PORT']) {
      places[name] = await freePort()
      ports.set(String(services['api']?.environment?.[name]), places[name])
    }
    const running = new Map<string, ChildProcess>()
    let output = ''

    function start(name: string): ChildProcess {
      const { command: [program = '', ...args] = [], environment = {} } = services[name] ?? {}
      const given = Object.entries({ ...environment, ...places }).map(([variable, value]) => [variable, withDefaults(String(value))])
      const child = spawn(program, args, { cwd: PROJECT, env: { PATH: process.env['PATH'], ...Object.fromEntries(given) }, stdio: ['ignore', 'pipe', 'pipe'] })
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          output += `${name}: ${chunk.toString('utf8')}`
        })
      running.set(name, child)
      return child
    }

    async function isHealthy(name: string): Promise<boolean> {
      const [, program = '', ...args] = services[name]?.healthcheck?.test ?? []
      const here = args.map((arg) => arg.replace(/(?<=127\.0\.0\.1:)\d+/, (port) => String(ports.get(port))))
      await promisify(execFile)(program, here)
      return true
    }

    try {
      const [status] = await once(start('migrate'), 'exit')
      expect([status, output]).toEqual([0, expect.stringContaining(`${SIMULATED_DEVICES.length} simulated devices registered`)])
      for (const name of ['station', 'compute', 'api']) start(name)
      for (const name of ['station', 'compute', 'api']) await until(() => isHealthy(name), { deadlineMs: 60_000, everyMs: 200, what: `${name} is healthy` })
      await until(
        async () => {
          const { devices } = await query<{ devices: { edges: { node: { connection: string } }[] } }>(
            `http://127.0.0.1:${places['PORT']}`,
            '{ devices { edges { node { connection } } } }',
          )
          return devices.edges.length === SIMULATED_DEVICES.length && devices.edges.every(({ node }) => node.connection === 'CONNECTED')
        },
        { deadlineMs: 90_000, what: 'every device is connected' },
      )
      for (const name of ['api', 'compute', 'station']) {
        const child = running.get(name)
        child?.kill('SIGTERM')
        if (child !== undefined && child.exitCode === null) await once(child, 'exit')
        expect([name, child?.exitCode, child?.signalCode]).toEqual([name, 0, null])
      }
      expect(await processesOf(folder)).toEqual([])
      expect(existsSync(path.join(folder, 'run/station-local.sock'))).toBe(false)
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${output}`, { cause: error })
    } finally {
      for (const child of running.values()) child.kill('SIGKILL')
      await until(async () => (await processesOf(folder)).length === 0, { what: 'no process is left' })
      await database.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
