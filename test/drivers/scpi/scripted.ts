import { readFileSync } from 'node:fs'
import type { Driver } from '../../../drivers/driver.ts'
import { scpiFormat } from '../../../drivers/scpi/format.ts'
import { SimulatedHislip } from '../../../drivers/scpi/hislip/server.ts'
import { SimulatedSocket } from '../../../drivers/simulation/simulated-socket.ts'
import type { ByteInstrument } from '../../../drivers/simulation/simulator.ts'

/** A driver from lines of a description; what every description needs is there. */
export function described(lines: string, head = HEAD): Driver {
  return scpiFormat.driverOf(`${head}${lines}\n`, 'tiny.yaml')
}

export const HEAD = `protocol: scpi
id: acme-tiny
vendor: ACME
model: Tiny
identity: '^ACME,TINY,'
connections: { tcp: {}, hislip: {} }
timeoutMs: 300
errors: { queue: SYST:ERR? }
`

export function builtIn(id: string): Driver {
  return scpiFormat.driverOf(readFileSync(new URL(`../../../drivers/scpi/instruments/${id}.yaml`, import.meta.url), 'utf8'), `${id}.yaml`)
}

/** Answers each message by a table or a function; what it was told, in order, is in `told`. */
export class Scripted implements ByteInstrument {
  readonly told: string[] = []
  readonly answers = new Map<string, string | (() => string | undefined)>([
    ['*IDN?', 'ACME,TINY,1,1.0'],
    ['*OPC?', '1'],
  ])
  readonly queue: string[] = []
  /** Not answered the next time. */
  readonly silentOnce = new Set<string>()
  readonly errors = []
  #held = ''

  receive(bytes: Uint8Array): Uint8Array {
    const parts = (this.#held + Buffer.from(bytes).toString('latin1')).split('\n')
    this.#held = parts.pop() ?? ''
    const replies = parts.flatMap((message) => this.#answer(message) ?? [])
    return Buffer.from(replies.map((reply) => `${reply}\n`).join(''), 'latin1')
  }

  foreign(): Uint8Array {
    return Buffer.from('7\n')
  }

  provoke(code: string): void {
    this.queue.push(`${code},"Provoked"`)
  }

  /** Commands, not questions. */
  get commands(): readonly string[] {
    return this.told.filter((message) => !message.includes('?'))
  }

  #answer(message: string): string | undefined {
    this.told.push(message)
    if (this.silentOnce.delete(message)) return undefined
    if (message === 'SYST:ERR?') return this.queue.shift() ?? '+0,"No error"'
    const answer = this.answers.get(message)
    return typeof answer === 'function' ? answer() : answer
  }
}

export type Served = AsyncDisposable & { readonly line: SimulatedSocket | SimulatedHislip; readonly address: string }

export async function serve(instrument: ByteInstrument, over: 'tcp' | 'hislip'): Promise<Served> {
  const options = { instrument, host: '127.0.0.1', port: 0, seconds: () => performance.now() / 1000 }
  const line = over === 'tcp' ? new SimulatedSocket({ ...options, terminator: '\n' }) : new SimulatedHislip(options)
  await line.plugIn()
  return { line, address: `${over}://127.0.0.1:${line.port}`, [Symbol.asyncDispose]: () => line[Symbol.asyncDispose]() }
}
