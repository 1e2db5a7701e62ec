import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { StationPaths } from './run-lab.ts'

const PROCESS = new URL('./run-station-process.ts', import.meta.url).pathname

/** A station in a process of its own, in place of the one that was there before, until `work` is done: then it is killed with kill -9. */
export async function withKilledStation<T>(paths: StationPaths, work: () => Promise<T>): Promise<T> {
  const child = spawn(process.execPath, ['--import', 'tsx', PROCESS, JSON.stringify(paths)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  try {
    await once(child.stdout, 'data')
    return await work()
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}
