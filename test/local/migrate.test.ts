import { execFile } from 'node:child_process'
import path from 'node:path'
import { expect, it } from 'vitest'
import { SIMULATED_DEVICES } from '../../local/lab/devices.ts'
import { openDatabase } from '../../prisma/client.ts'
import { startEmptyDatabase } from '../harness/database.ts'

const ENTRY = path.join(import.meta.dirname, '../../dist/local/migrate/main.js')

/** The one-shot process that docker-compose.yml starts before all others. */
function migrate(env: NodeJS.ProcessEnv): Promise<{ status: number; said: string }> {
  const { DATABASE_URL: _, ...inherited } = process.env
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [ENTRY], { env: { ...inherited, ...env } }, (_error, _stdout, said) =>
      resolve({ status: child.exitCode ?? -1, said }),
    )
  })
}

it('brings a new database up to date with the simulated devices, and finds nothing to do afterwards', async () => {
  const server = await startEmptyDatabase()
  try {
    const first = await migrate({ DATABASE_URL: server.url })
    expect([first.status, first.said]).toEqual([
      0,
      expect.stringMatching(new RegExp(`migration \\d+_init applied\n[\\s\\S]*${SIMULATED_DEVICES.length} simulated devices registered\n$`)),
    ])
    expect(await migrate({ DATABASE_URL: server.url })).toEqual({ status: 0, said: '' })
    await using database = openDatabase(server.url, { onError: (error) => process.emitWarning(error.message) })
    expect(await database.prisma.device.count()).toBe(SIMULATED_DEVICES.length)
  } finally {
    await server.stop()
  }
})

it.each([
  ['is not named', '', 'migrate: DATABASE_URL is not set; '],
  ['does not answer', 'postgresql://anna:secret@127.0.0.1:1/lab', 'migrate: DATABASE_URL postgresql://anna:***@127.0.0.1:1/lab cannot be used: '],
])('says in one sentence that the server %s', async (_, url, sentence) => {
  const { status, said } = await migrate({ DATABASE_URL: url })
  expect([status, said]).toEqual([78, expect.stringContaining(sentence)])
  expect(said.trim().split('\n')).toHaveLength(1)
})
