import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { wallNsFromMs } from '../core/time.ts'
import { openDatabase } from '../prisma/client.ts'
import { startTestDatabase } from '../test/harness/database.ts'
import { insertStation } from '../test/workers/station/journal/station-rows.ts'
import { openJournal } from '../workers/station/journal/journal.ts'
import { startShipper } from '../workers/station/journal/shipper.ts'
import { percentile, say } from './report.ts'

/**
 * Samples of the parameter history, from a station's journal into PostgreSQL, at a steady rate: how far the database falls behind, and what is there at the end.
 * `npm run bench:history [seconds] [samples per second]` on the embedded database, `TEST_PROFILE=services .ci/servers npm run bench:history` on a server.
 */
const seconds = Number(process.argv[2] ?? 600)
const perSecond = Number(process.argv[3] ?? 10_000)
const PARAMETERS = 500
const EVERY_MS = 50 // how often a station hands over what it has gathered

const server = await startTestDatabase()
const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-history-'))
try {
  await using database = openDatabase(server.url, { name: 'bench', onError: ({ message }) => say(message) })
  const { stationId, deviceId } = await insertStation(database)
  await using journal = await openJournal(folder, { log: say })
  const specs = Array.from({ length: PARAMETERS }, (_, index) => ({
    name: `signal_${index}`,
    description: 'A sine of the benchmark',
    kind: 'FLOAT' as const,
    access: 'READ_ONLY' as const,
    unit: 'V',
  }))
  journal.append({ type: 'parameters', time: wallNsFromMs(Date.now()), deviceId, specs })
  const cpuBefore = process.cpuUsage()
  await using shipper = startShipper({ journal, database, stationId, log: say })

  const backlog: number[] = []
  let given = 0
  const start = performance.now()
  for (let elapsedMs = 0; elapsedMs < seconds * 1000; elapsedMs = performance.now() - start) {
    const due = Math.floor((elapsedMs / 1000) * perSecond) - given
    const now = wallNsFromMs(Date.now())
    const samples = Array.from({ length: due }, (_, index) => ({
      deviceId,
      parameter: `signal_${(given + index) % PARAMETERS}`,
      reading: { time: now + BigInt(index), quality: 'GOOD' as const, value: Math.sin(given + index) },
    }))
    if (due > 0) journal.append({ type: 'samples', samples })
    given += due
    backlog.push(shipper.backlog)
    await pause(EVERY_MS)
  }
  await journal.flush()
  const ended = performance.now()
  await shipper.caughtUp(AbortSignal.timeout(60_000))
  const caughtUpMs = performance.now() - ended
  const cpu = process.cpuUsage(cpuBefore)

  if (shipper.backlog > 0) throw new Error(`${shipper.backlog} entries are not shipped`)
  const stored = await database.prisma.sample.count()
  say(`${given} samples in ${((ended - start) / 1000).toFixed(0)} s: ${((1000 * given) / (ended - start)).toFixed(0)} samples/s given, ${stored} stored`)
  say(
    `behind by at most ${Math.max(...backlog)} journal entries of ${EVERY_MS} ms (p99 ${percentile(backlog, 0.99)}); caught up ${caughtUpMs.toFixed(0)} ms after the last`,
  )
  say(`journal and shipper used ${((100 * (cpu.user + cpu.system)) / 1000 / (ended - start)).toFixed(0)} % of a core`)
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}
