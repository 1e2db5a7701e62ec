import { fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvalidValue } from '../../core/errors.ts'
import type { Rehearsed } from './rehearse.ts'

const BEGIN_WITHIN_MS = 20_000 // a process of ours starts in a third of a second, on a machine that starts much else at once later
const GRACE_MS = 1_000 // what waits is told by the process itself; what still says nothing then does not come back
const LAST_WORDS = 2_000 // characters of what it printed: the end of it says why it ended

/**
 * Loads a plugin in a process of its own before it may enter this one: what loops for ever, ends the process or crashes in native code does so there. Throws
 * InvalidValue that says what happened.
 */
export async function rehearse(entry: string, withinMs: number, signal: AbortSignal, execArgv: readonly string[] = []): Promise<void> {
  const program = fileURLToPath(new URL(`./rehearse${extname(import.meta.filename)}`, import.meta.url))
  const child = fork(program, [entry, String(withinMs)], { execArgv: [...execArgv], stdio: ['ignore', 'pipe', 'pipe', 'ipc'], signal, killSignal: 'SIGKILL' })
  let words = ''
  const keep = (chunk: Buffer): void => {
    words = (words + chunk.toString('utf8')).slice(-LAST_WORDS)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const problem = await new Promise<string | undefined>((resolve) => {
    const killAfter = (milliseconds: number, sentence: string): NodeJS.Timeout =>
      setTimeout(() => {
        resolve(sentence)
        child.kill('SIGKILL')
      }, milliseconds)
    let timer = killAfter(BEGIN_WITHIN_MS, `it could not be tried out: no process began within ${BEGIN_WITHIN_MS / 1000} s`)
    child.on('message', (word: Rehearsed) => {
      if (word !== 'begins') return resolve(word === 'good' ? undefined : word.problem)
      clearTimeout(timer)
      timer = killAfter(withinMs + GRACE_MS, `it was not loaded within ${withinMs / 1000} s: it loops`)
    })
    child.on('error', (error) => resolve(`it could not be tried out: ${error.message}`))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve(`it ended the process that loaded it (${signal ?? `status ${code}`})${words === '' ? '' : `: ${lastLines(words)}`}`)
    })
  })
  if (problem !== undefined) throw new InvalidValue(problem, ['drivers'])
}

function lastLines(words: string): string {
  return words.trim().split('\n').slice(-3).join(' | ')
}
