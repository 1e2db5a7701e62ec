import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { linkToken } from '../../link/token.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('is one token for all who come at the same time, readable by its owner only', async () => {
  const path = join(folder, 'run', 'link-token')
  const tokens = await Promise.all(Array.from({ length: 8 }, () => linkToken(path)))
  expect(new Set(tokens).size).toBe(1)
  expect(tokens[0]).toMatch(/^[0-9a-f]{64}$/)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

it('is refused in one sentence when the file holds something else', async () => {
  const path = join(folder, 'link-token')
  await writeFile(path, 'secret')
  await expect(linkToken(path)).rejects.toThrow(/does not hold a link token/)
})
