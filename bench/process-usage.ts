import { readdir, readFile } from 'node:fs/promises'

/** What Linux knows of a running process, of itself and of each of its threads. */
export type ProcessUsage = {
  readonly cpuSeconds: number
  /** Memory of its own, without files and rings that it maps. */
  readonly ownBytes: number
  /** By name and number of the thread. */
  readonly threads: ReadonlyMap<string, number>
}

const CLOCK_TICKS_PER_SECOND = 100 // of /proc/<pid>/stat on Linux

export async function usageOf(pid: number): Promise<ProcessUsage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const threads = new Map<string, number>()
  for (const id of await readdir(`/proc/${pid}/task`)) {
    const stat = await readFile(`/proc/${pid}/task/${id}/stat`, 'utf8').catch(() => '') // ended meanwhile
    const name = id === String(pid) ? 'main' : stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    if (stat !== '') threads.set(`${name} ${id}`, secondsOf(stat))
  }
  return { cpuSeconds: await cpuSeconds(pid), ownBytes: Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024, threads }
}

/** User and system time of a process so far. */
export async function cpuSeconds(pid: number): Promise<number> {
  return secondsOf(await readFile(`/proc/${pid}/stat`, 'utf8'))
}

function secondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND
}

/** Processor seconds that this machine has spent so far, by everybody, and how many it had to spend. */
export async function machineSeconds(): Promise<{ readonly busy: number; readonly all: number }> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n')
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number)
  const all = ticks.reduce((sum, each) => sum + each, 0)
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0)
  return { busy: (all - idle) / CLOCK_TICKS_PER_SECOND, all: all / CLOCK_TICKS_PER_SECOND }
}

/** Shares of a core of the threads that took most from `was` to `is`; those of one name together. */
export function busiestThreads(was: ProcessUsage, is: ProcessUsage, seconds: number): string {
  const shares = new Map<string, number>()
  for (const [thread, cpu] of is.threads) {
    const name = thread.replace(/ \d+$/, '')
    shares.set(name, (shares.get(name) ?? 0) + (100 * (cpu - (was.threads.get(thread) ?? 0))) / seconds)
  }
  return [...shares]
    .filter(([, share]) => share >= 1)
    .sort(([, a], [, b]) => b - a)
    .map(([name, share]) => `${name} ${share.toFixed(0)} %`)
    .join(', ')
}
