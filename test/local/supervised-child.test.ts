import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { CannotStart } from '../../link/child.ts'
import { type ChildOptions, SupervisedChild } from '../../local/supervised-child.ts'
import { until } from '../until.ts'

function supervise(behaviour: string, options: Partial<ChildOptions> = {}) {
  const lines: string[] = []
  const pids: number[] = []
  const entry = path.join(import.meta.dirname, 'children/child.mjs')
  const child = new SupervisedChild(
    { name: 'station', entry, env: { ...process.env, BEHAVIOUR: behaviour } },
    {
      say: (line) => lines.push(line),
      onPid: (_name, pid) => {
        if (pid !== undefined) pids.push(pid)
      },
      ...options,
    },
  )
  return { child, lines, pids }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a supervised child', () => {
  it('is started again after kill -9, and both is said', async () => {
    const { child, lines, pids } = supervise('serving')
    await child.start()
    process.kill(pids[0] ?? 0, 'SIGKILL')
    await until(() => lines.length === 2)
    expect(lines).toEqual(['station ended (signal SIGKILL) and starts again', 'station is back'])
    expect(pids).toHaveLength(2)
    await child.stop()
    expect(pids.some(isAlive)).toBe(false)
  })

  it('that cannot start says why, once', async () => {
    const { child, lines, pids } = supervise('refusing')
    await expect(child.start()).rejects.toThrow(new CannotStart('port 4000 is taken'))
    expect(lines).toEqual([])
    expect(pids).toHaveLength(1)
  })

  it('that crashes before it ever served is given up after three times', async () => {
    const { child, pids } = supervise('crashing')
    await expect(child.start()).rejects.toThrow('station does not start: exit status 3')
    expect(pids).toHaveLength(3)
  })

  it('that does not stop is killed after the deadline', async () => {
    const { child, lines, pids } = supervise('stubborn', { stopDeadlineMs: 200 })
    await child.start()
    await child.stop()
    expect(lines).toEqual(['station did not stop within 200 ms and is killed'])
    expect(pids.some(isAlive)).toBe(false)
  })

  it('that is stopped while it waits for its restart stays down', async () => {
    const { child, lines, pids } = supervise('serving')
    await child.start()
    process.kill(pids[0] ?? 0, 'SIGKILL')
    await until(() => lines.length === 1)
    await child.stop()
    expect(pids).toHaveLength(1)
  })
})
