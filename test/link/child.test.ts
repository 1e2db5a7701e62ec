import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'

async function served() {
  const child = fork(path.join(import.meta.dirname, 'served-child.ts'), { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const said = child.stdout === null ? Promise.resolve('') : text(child.stdout)
  const exited = once(child, 'exit')
  await once(child, 'message')
  return { child, said, exited }
}

describe('a process under the supervisor', () => {
  it('leaves Ctrl-C and a closed terminal to the supervisor, and stops in order when that is gone', async () => {
    const { child, said, exited } = await served()
    child.kill('SIGHUP')
    child.kill('SIGINT')
    child.disconnect()
    expect(await exited).toEqual([0, null])
    expect(await said).toBe('stopped in order\n')
  })

  it('stops in order when it is told to', async () => {
    const { child, said, exited } = await served()
    child.send({ type: 'stop' })
    expect(await exited).toEqual([0, null])
    expect(await said).toBe('stopped in order\n')
  })
})
