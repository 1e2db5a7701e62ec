import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CannotStart } from './child.ts'

const TOKEN_BYTES = 32
const TOKEN = /^[0-9a-f]{64}$/

/** The secret that every process of this lab knows: made by whoever comes first, readable by this user only. */
export async function linkToken(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await writeFile(draft, randomBytes(TOKEN_BYTES).toString('hex'), { mode: 0o600, flag: 'wx' })
    // A hard link appears whole or not at all: nobody reads half a token, and the second comer keeps the first one's.
    await link(draft, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await rm(draft, { force: true })
  }
  const token = (await readFile(path, 'utf8')).trim()
  if (!TOKEN.test(token)) throw new CannotStart(`${path} does not hold a link token (64 hexadecimal digits); delete it and start again`)
  return token
}
