import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { CannotStart, type ChildMessage, EXIT_CANNOT_START, STOP_DEADLINE_MS, type SupervisorMessage } from '../link/child.ts'
import { deferred } from './deferred.ts'

/** One process of the lab: started, started again whenever it dies, and stopped. */
export type ChildSpec = {
  readonly name: string
  /** Compiled entry file, which calls runChild of link/child.ts. */
  readonly entry: string
  readonly env: NodeJS.ProcessEnv
}

export type ChildOptions = {
  readonly say: (line: string) => void
  readonly onPid: (name: string, pid: number | undefined) => void
  readonly stopDeadlineMs?: number
}

/** The first start makes a database's folder or opens every instrument; a child that says nothing for longer hangs. */
const READY_DEADLINE_MS = 90_000
const FIRST_RESTART_MS = 200
const MAX_RESTART_MS = 10_000
/** A child that served this long has earned a quick restart. */
const STEADY_MS = 30_000
/** Crashes before it ever served: by then it will not start. */
const MAX_FIRST_FAILURES = 3

type End = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly reason: string | undefined; readonly servedMs: number }

export class SupervisedChild {
  readonly name: string
  readonly #spec: ChildSpec
  readonly #options: ChildOptions
  readonly #stopping = new AbortController()
  readonly #served = deferred<void>()
  #process: ChildProcess | undefined
  #life: Promise<void> | undefined

  constructor(spec: ChildSpec, options: ChildOptions) {
    this.name = spec.name
    this.#spec = spec
    this.#options = options
  }

  /** Resolves when it serves for the first time. Rejects with CannotStart in the child's own words when it cannot. */
  start(): Promise<void> {
    this.#life ??= this.#live()
    return this.#served.promise
  }

  /** Asks it to stop, and kills it after the deadline. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const child = this.#process
    if (child !== undefined) {
      if (child.connected) child.send({ type: 'stop' } satisfies SupervisorMessage)
      else child.kill('SIGTERM')
      const deadlineMs = this.#options.stopDeadlineMs ?? STOP_DEADLINE_MS
      const late = setTimeout(() => {
        this.#options.say(`${this.name} did not stop within ${deadlineMs} ms and is killed`)
        child.kill('SIGKILL')
      }, deadlineMs)
      await this.#life
      clearTimeout(late)
    }
    await this.#life
  }

  kill(): void {
    this.#stopping.abort()
    this.#process?.kill('SIGKILL')
  }

  /** Until it is stopped: runs it, and again after each death. */
  async #live(): Promise<void> {
    let restartMs = FIRST_RESTART_MS
    let everServed = false
    let firstFailures = 0
    while (!this.#stopping.signal.aborted) {
      const end = await this.#once()
      if (this.#stopping.signal.aborted) break
      everServed ||= end.servedMs > 0
      const how = end.reason ?? (end.signal === null ? `exit status ${end.code}` : `signal ${end.signal}`)
      if (!everServed && (end.code === EXIT_CANNOT_START || ++firstFailures >= MAX_FIRST_FAILURES)) {
        this.#served.reject(new CannotStart(end.code === EXIT_CANNOT_START ? how : `${this.name} does not start: ${how}`))
        return
      }
      if (end.servedMs > STEADY_MS) restartMs = FIRST_RESTART_MS
      this.#options.say(`${this.name} ended (${how}) and starts again`)
      await pause(restartMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined) // stopped meanwhile: the loop ends
      restartMs = Math.min(restartMs * 2, MAX_RESTART_MS)
    }
    this.#served.reject(new CannotStart(`${this.name} was stopped while it started`))
  }

  /** One life, from fork to exit. */
  async #once(): Promise<End> {
    const child = fork(this.#spec.entry, { env: this.#spec.env, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#process = child
    this.#options.onPid(this.name, child.pid)
    let servingSince: number | undefined
    let reason: string | undefined
    const silent = setTimeout(() => {
      reason = `it did not say that it serves within ${READY_DEADLINE_MS} ms`
      child.kill('SIGKILL')
    }, READY_DEADLINE_MS)
    child.on('message', (message: ChildMessage) => {
      if (message.type === 'failed') reason = message.reason
      if (message.type !== 'ready') return
      clearTimeout(silent)
      if (servingSince === undefined && this.#served.isSettled) this.#options.say(`${this.name} is back`)
      servingSince = performance.now()
      this.#served.resolve()
    })
    try {
      return await new Promise<End>((resolve) => {
        const ended = (code: number | null, signal: NodeJS.Signals | null): void =>
          resolve({ code, signal, reason, servedMs: servingSince === undefined ? 0 : Math.max(1, performance.now() - servingSince) })
        child.once('exit', ended)
        // More than once: a message that cannot be sent is one too.
        child.on('error', (error) => {
          reason = error.message
          if (child.pid === undefined) ended(null, null) // it was never born
        })
      })
    } finally {
      clearTimeout(silent)
      this.#process = undefined
      this.#options.onPid(this.name, undefined)
    }
  }
}
