import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../until.ts'

export type ServerUser = { readonly name: string; readonly group: string }

export type ServerCommand = {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Another user to run as; only root can. */
  readonly user?: ServerUser | undefined
  /** Asks it to stop in order. */
  readonly stopSignal: NodeJS.Signals
  /** Rejects, or says false, until it serves; sees all that the server has printed. */
  readonly serves: (output: string) => Promise<boolean>
}

const SERVES_DEADLINE_MS = 90_000 // a Java server on a busy machine
const STOP_DEADLINE_MS = 15_000

/** A server of somebody else's, started and awaited. It cannot outlive this process: the kernel kills it then. */
export async function startServerProcess({ name, program, args, env, user, stopSignal, serves }: ServerCommand): Promise<AsyncDisposable> {
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', ...runAs(user), program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C is for us: we stop it after what uses it
  })
  let output = ''
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
  const exited = once(server, 'exit')
  const hasEnded = (): boolean => server.exitCode !== null || server.signalCode !== null

  async function stop(): Promise<void> {
    if (hasEnded()) return
    server.kill(stopSignal)
    const inTime = await Promise.race([exited.then(() => true), pause(STOP_DEADLINE_MS, false, { ref: false })])
    if (inTime) return
    server.kill('SIGKILL')
    await exited
  }

  try {
    await until(async () => hasEnded() || (await serves(output)), { deadlineMs: SERVES_DEADLINE_MS, everyMs: 50, what: 'the start' })
    if (hasEnded()) throw new Error('it ended')
    return { [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw new Error(`${name} does not start: ${error instanceof Error ? error.message : String(error)}\n${output}`, { cause: error })
  }
}

/** Options of setpriv. */
export function runAs(user: ServerUser | undefined): readonly string[] {
  return user === undefined ? [] : ['--reuid', user.name, '--regid', user.group, '--clear-groups']
}
