import { AsyncLocalStorage } from 'node:async_hooks'
import { messageOf } from '../../core/errors.ts'

/** Whose code is running: handed on by Node to the timers, sockets and promises that it makes. */
export type Culprit = {
  /** Files below are its own. */
  readonly folder: string
  readonly blame: (sentence: string) => void
}

const running = new AsyncLocalStorage<Culprit>()

/** Runs a plugin's code, so that an error it leaves behind is known as its own. */
export function inNameOf<T>(culprit: Culprit, work: () => T): T {
  return running.run(culprit, work)
}

/**
 * From now on, an error that a plugin left behind (a rejected promise that it forgot, an 'error' event that nobody listens to, a throw in a timer) is
 * reported as the plugin's and the process goes on; every other one ends the process, as Node does by itself. For the whole process: once, by its entry.
 */
export function surviveErrorsOfPlugins(culprits: () => Iterable<Culprit>, lastWords: (error: unknown) => void): void {
  const take = (error: unknown): void => {
    const culprit = running.getStore() ?? ownerOf(error, culprits())
    if (culprit !== undefined) return culprit.blame(`it left an error behind that nobody took: ${messageOf(error)}`)
    lastWords(error)
    process.exit(1)
  }
  process.on('uncaughtException', take)
  process.on('unhandledRejection', take)
}

/** A microtask loses its context, and its error's stack still tells. Ours only if no file of another owner comes first. */
function ownerOf(error: unknown, culprits: Iterable<Culprit>): Culprit | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const place = stack.split('\n').find((line) => /^\s+at .*[\\/]/.test(line) && !line.includes('node:'))
  if (place === undefined) return undefined
  for (const culprit of culprits) if (place.includes(`${culprit.folder}/`)) return culprit
  return undefined
}
