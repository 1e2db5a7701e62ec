import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DeviceOffline, EmergencyStopped } from '../../../core/errors.ts'
import type { ByteTransport } from '../../../drivers/transport/byte-transport.ts'
import { SerialLine } from '../../../drivers/transport/serial-line.ts'
import { until } from '../../until.ts'
import { never, problemOf } from '../bench.ts'

const TIMEOUT_MS = 40
const NUMBER = /^\d+$/

/** A transport in memory before an instrument that answers `7?` by `7`, in order, each answer as late as `delays` says; undefined: never. */
function echo(delays: readonly (number | undefined)[] = []): {
  readonly transport: ByteTransport
  readonly sent: string[]
  readonly lose: () => void
  readonly say: (text: string) => void
} {
  const lost = new AbortController()
  const sent: string[] = []
  let listener: (bytes: Uint8Array) => void = () => undefined
  let last: Promise<unknown> = Promise.resolve()
  let asked = 0
  const say = (text: string): void => listener(Buffer.from(text))
  return {
    sent,
    say,
    lose: () => lost.abort(new DeviceOffline('unplugged', {})),
    transport: {
      lost: lost.signal,
      onBytes: (to) => {
        listener = to
      },
      write: async (bytes) => {
        const command = Buffer.from(bytes).toString().trim()
        sent.push(command)
        if (!command.endsWith('?')) return
        const delay = asked < delays.length ? delays[asked] : 0
        asked += 1
        if (delay === undefined) return
        const ready = new Promise((resolve) => setTimeout(resolve, delay))
        last = last.then(() => ready).then(() => say(command === 'M?' ? 'mark\n' : `${command.slice(0, -1)}\n`))
      },
      [Symbol.asyncDispose]: async () => lost.abort(new DeviceOffline('closed', {})),
    },
  }
}

const lineOn = (transport: ByteTransport, timeoutMs = TIMEOUT_MS): SerialLine =>
  new SerialLine(transport, { sendTerminator: '\n', replyTerminator: '\n', timeoutMs, gapMs: 0, marker: { command: 'M?', reply: /^mark$/ } })

describe('a reply belongs to its question', () => {
  test('however late or lost the replies are, up to twice the time-out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(0, 5, 30, 50, 60, undefined), { minLength: 1, maxLength: 8 }), async (delays) => {
        const line = lineOn(echo(delays).transport)
        for (let question = 0; question < delays.length + 2; question += 1) {
          const reply = await line.ask('read', `${question}?`, NUMBER, never).catch(() => 'none')
          expect(['none', String(question)]).toContain(reply)
        }
      }),
      { numRuns: 12 },
    )
  })

  test('what came unasked is not taken', async () => {
    const { transport, say } = echo()
    const line = lineOn(transport)
    say('99\n98')
    expect(await line.ask('read', '1?', NUMBER, never)).toBe('1')
  })

  test('lines of another shape are skipped, and named when nothing else comes', async () => {
    const { transport, sent, say } = echo([undefined])
    const line = lineOn(transport)
    const asked = problemOf(line.ask('read', '1?', NUMBER, never))
    await until(() => sent.length === 1)
    say('noise\n')
    expect((await asked).message).toContain('it said "noise"')
  })

  test('the line finds into step again after silence', async () => {
    const { transport, sent } = echo([undefined])
    const line = lineOn(transport)
    expect((await problemOf(line.ask('read', '1?', NUMBER, never))).code).toBe('DEADLINE_EXCEEDED')
    expect(await line.ask('read', '2?', NUMBER, never)).toBe('2')
    expect(sent).toEqual(['1?', 'M?', '2?'])
  })
})

test('the line finds into step again though the answer to its marker, too, never came', async () => {
  const { transport, sent } = echo([undefined, undefined])
  const line = lineOn(transport)
  await until(async () => (await line.ask('read', '2?', NUMBER, never).catch(() => 'none')) === '2', { what: 'an answer', deadlineMs: 5000 })
  expect(sent.slice(0, 2)).toEqual(['2?', 'M?'])
})

describe('what has acted is said', () => {
  test('a set that was sent may have acted when the port is lost', async () => {
    const { transport, sent, lose } = echo([undefined])
    const line = lineOn(transport, 10_000)
    const set = problemOf(
      line.exchange(
        'command',
        async (exchange) => {
          await exchange.send('SET')
          await exchange.ask('1?', NUMBER)
        },
        never,
      ),
    )
    const waiting = problemOf(line.ask('read', '2?', NUMBER, never))
    await until(() => sent.length === 2)
    lose()
    expect(await set).toMatchObject({ code: 'DEVICE_OFFLINE', effect: 'POSSIBLE' })
    expect(await waiting).toMatchObject({ code: 'DEVICE_OFFLINE', effect: 'NONE' })
    expect(await problemOf(line.ask('read', '3?', NUMBER, never))).toMatchObject({ code: 'DEVICE_OFFLINE', effect: 'NONE' })
  })

  test('who gives up is heard at once', async () => {
    const { transport, sent } = echo([undefined])
    const line = lineOn(transport, 10_000)
    const caller = new AbortController()
    const asked = problemOf(line.ask('read', '1?', NUMBER, caller.signal))
    await until(() => sent.length === 1)
    caller.abort()
    expect((await asked).effect).toBe('NONE')
  })
})

describe('a stop', () => {
  test('is written beside a question that waits, which still gets its reply', async () => {
    const { transport, sent } = echo([30])
    const line = lineOn(transport, 1000)
    const asked = line.ask('read', '1?', NUMBER, never)
    await until(() => sent.length === 1)
    await line.interject('STOP')
    expect(sent).toEqual(['1?', 'STOP'])
    expect(await asked).toBe('1')
  })

  test('in an emergency voids the set that is between its command and its question', async () => {
    const { transport, sent } = echo()
    const line = lineOn(transport, 1000)
    const set = problemOf(
      line.exchange(
        'command',
        async (exchange) => {
          await exchange.send('A')
          await exchange.pause(10_000)
          await exchange.send('B')
        },
        never,
      ),
    )
    await until(() => sent.length === 1)
    await line.preempt('ABORT', new EmergencyStopped('stop', { effect: 'POSSIBLE' }))
    expect(await set).toMatchObject({ code: 'EMERGENCY_STOPPED', effect: 'POSSIBLE' })
    expect(sent).toEqual(['A', 'ABORT'])
  })
})

test('a line that never ends does not fill the memory', async () => {
  const { transport, say } = echo()
  const line = lineOn(transport)
  for (let block = 0; block < 1000; block += 1) say('x'.repeat(10_000))
  expect(await line.ask('read', '1?', NUMBER, never)).toBe('1')
})
