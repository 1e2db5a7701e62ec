import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { pluginFolder } from './plugin-folder.ts'

const STRAYS = `
import { EventEmitter } from 'node:events'
import { connect } from 'node:net'
export const rejection = () => void Promise.reject(new Error('a promise forgotten'))
export const later = () => void (async () => { await new Promise((resolve) => setTimeout(resolve, 5)); throw new Error('a promise forgotten') })()
export const timer = () => void setTimeout(() => { throw new Error('thrown in a timer') }, 5)
export const microtask = () => queueMicrotask(() => { throw new Error('thrown in a microtask') })
export const socket = () => void connect(1, '127.0.0.1')
export const emitter = () => { const emitter = new EventEmitter(); setImmediate(() => emitter.emit('error', new Error('an event unheard'))) }
`

async function run(kind: string): Promise<string> {
  await using plugin = await pluginFolder()
  await plugin.write('strays.mjs', STRAYS)
  const script = fileURLToPath(new URL('stray-process.ts', import.meta.url))
  const ended = promisify(execFile)(process.execPath, ['--import', 'tsx', script, kind, plugin.folder])
  return await ended.then(
    ({ stdout }) => stdout,
    ({ stdout, code }: { readonly stdout: string; readonly code: number }) => `${stdout}status ${code}\n`,
  )
}

it.each([
  ['rejection', 'a promise forgotten'],
  ['later', 'a promise forgotten'],
  ['timer', 'thrown in a timer'],
  ['microtask', 'thrown in a microtask'],
  ['socket', 'connect ECONNREFUSED 127.0.0.1:1'],
  ['emitter', 'an event unheard'],
])('an error that a plugin leaves behind is its own and ends nothing: %s', async (kind, message) => {
  expect(await run(kind)).toBe(`blamed: it left an error behind that nobody took: ${message}\nstill alive\n`)
})

it('an error of ours ends the process', async () => {
  expect(await run('ours')).toBe('last words: our own\nstatus 1\n')
})
