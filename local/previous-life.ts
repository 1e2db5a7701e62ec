import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { STOP_DEADLINE_MS } from '../link/child.ts'

/**
 * The processes of this data folder, kept in a file. After a kill -9 of the supervisor its children still take a moment to stop by themselves; they hold
 * ports, sockets and instruments, so the next start waits for them.
 */
export type ProcessTable = Readonly<Record<string, number>>

const LOOK_EVERY_MS = 50

export function processTableFile(dataDir: string): string {
  return path.join(dataDir, 'run', 'processes.json')
}

export async function writeProcessTable(dataDir: string, table: ProcessTable): Promise<void> {
  const file = processTableFile(dataDir)
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, `${JSON.stringify(table, undefined, 2)}\n`)
  await rename(`${file}.new`, file)
}

export async function readProcessTable(dataDir: string): Promise<ProcessTable> {
  const file = processTableFile(dataDir)
  if (!existsSync(file)) return {}
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ProcessTable
  } catch (error) {
    if (error instanceof SyntaxError) return {} // cut by a power failure: so are the processes it named
    throw error
  }
}

/** Waits for what a killed supervisor left, and kills what does not stop by itself. */
export async function endPreviousLife(dataDir: string, say: (line: string) => void): Promise<void> {
  const left = Object.entries(await readProcessTable(dataDir))
  const end = performance.now() + STOP_DEADLINE_MS
  let told = false
  for (;;) {
    const alive: [string, number][] = []
    for (const [name, pid] of left) if (await isOurs(pid)) alive.push([name, pid])
    if (alive.length === 0) return
    if (!told) say(`waiting for ${alive.map(([name]) => name).join(', ')} of the previous start to stop`)
    told = true
    if (performance.now() > end) for (const [, pid] of alive) process.kill(pid, 'SIGKILL')
    await pause(LOOK_EVERY_MS)
  }
}

/** The number may belong to another program by now: only a process of this build counts. */
async function isOurs(pid: number): Promise<boolean> {
  const file = `/proc/${pid}/cmdline`
  if (pid === process.pid || !existsSync(file)) return false // without /proc nobody can tell, and the ports will
  const commandLine = await readFile(file, 'utf8').catch(() => '') // gone between the two calls
  return commandLine.includes(import.meta.dirname) || commandLine.includes(path.dirname(import.meta.dirname))
}
