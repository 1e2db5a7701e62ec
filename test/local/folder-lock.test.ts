import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockFolder } from '../../local/folder-lock.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-lock-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('the lock on a folder', () => {
  it('has one holder, who is named to the second, also by another name of the folder', async () => {
    const data = path.join(folder, 'data')
    const lock = await lockFolder(data)
    const alias = path.join(folder, 'alias')
    await symlink(data, alias)
    await expect(lockFolder(alias)).rejects.toThrow(new RegExp(`^the folder ${data} is in use by process ${process.pid}, running since 2`))
    await lock[Symbol.asyncDispose]()
    await using _again = await lockFolder(data)
  })

  it.each(['/proc/kymograph', '/dev/null/kymograph'])('says in a sentence that %s cannot be made', async (impossible) => {
    await expect(lockFolder(impossible)).rejects.toThrow(`the folder ${impossible} cannot be made`)
  })

  it('is waited for', async () => {
    const lock = await lockFolder(folder)
    const second = lockFolder(folder, { waitMs: 10_000 })
    await lock[Symbol.asyncDispose]()
    await using _taken = await second
  })

  it('of a killed process is free at once', async () => {
    const script = `import { lockFolder } from ${JSON.stringify(path.resolve('dist/local/folder-lock.js'))}; await lockFolder(process.argv[1]); console.log('held'); setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(holder.stdout, 'data')
    await expect(lockFolder(folder)).rejects.toThrow(`process ${holder.pid}`)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await using _lock = await lockFolder(folder)
  })

  it('goes to exactly one of many who ask at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)))
    const held = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    expect(held).toHaveLength(1)
    await Promise.all(held.map((lock) => lock[Symbol.asyncDispose]()))
  })
})
