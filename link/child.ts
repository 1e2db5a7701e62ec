/**
 * The life of a process under the supervisor, the same for all of them.
 *
 * The supervisor forks a child and listens; the child says `ready` once it serves. Ctrl-C and the end of the terminal reach the whole process group, so
 * children leave SIGINT and SIGHUP to the supervisor and wait for its `stop`. A child whose supervisor is gone (the channel closes) stops in the same
 * orderly way: a station stops motion and flushes first. A process started by hand, without a supervisor, stops on SIGINT, SIGHUP and SIGTERM.
 */

export type ChildMessage = { readonly type: 'ready'; readonly detail?: string } | { readonly type: 'failed'; readonly reason: string }
export type SupervisorMessage = { readonly type: 'stop' }

/** Supervisor: how long a child may take to stop before it is killed. A station stops motion and flushes within it. */
export const STOP_DEADLINE_MS = 8_000

/** Exit status of a child that cannot start for a reason a person must mend (a taken port, a locked folder): the supervisor does not try again. */
export const EXIT_CANNOT_START = 78 // EX_CONFIG of sysexits.h

/** A reason to stay down, said in one sentence. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart'
}

/** Starts, serves until told to stop, disposes, exits. `start` gets a signal that fires when the process is to end while it still starts. */
export async function runChild(start: (signal: AbortSignal) => Promise<AsyncDisposable>, say: (line: string) => void): Promise<void> {
  const stopping = new AbortController()
  const stop = (): void => stopping.abort()
  const supervised = process.send !== undefined
  // the reader of our output may die before us; that must not cut the orderly stop short
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  process.on('SIGTERM', stop)
  // Both reach the whole group: Ctrl-C, and a terminal window that is closed.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, supervised ? () => undefined : stop)
  process.on('disconnect', stop)
  process.on('message', (message: SupervisorMessage) => {
    if (message.type === 'stop') stop()
  })

  try {
    const service = await start(stopping.signal)
    tell({ type: 'ready' })
    if (!stopping.signal.aborted) await new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve(), { once: true }))
    await service[Symbol.asyncDispose]()
    process.exit(0)
  } catch (error) {
    const expected = error instanceof CannotStart
    const reason = error instanceof Error ? error.message : String(error)
    say(expected || !(error instanceof Error) ? reason : (error.stack ?? reason))
    tell({ type: 'failed', reason })
    process.exit(expected ? EXIT_CANNOT_START : 1)
  }
}

function tell(message: ChildMessage): void {
  if (process.connected) process.send?.(message)
}
