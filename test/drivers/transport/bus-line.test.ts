import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { DeviceOffline, EmergencyStopped } from '../../../core/errors.ts'
import { BusLine } from '../../../drivers/transport/bus-line.ts'
import { BusReader } from '../../../drivers/transport/bus-reader.ts'
import type { ByteTransport } from '../../../drivers/transport/byte-transport.ts'
import { until } from '../../until.ts'
import { never, problemOf } from '../bench.ts'

/** A bus in memory: what was written, and what the test has the devices say. */
class Bus implements ByteTransport {
  readonly written: string[] = []
  readonly #lost = new AbortController()
  readonly lost = this.#lost.signal
  #listener: (bytes: Uint8Array) => void = () => undefined
  /** Answers at once. */
  answer: (command: string) => string | undefined = () => undefined

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#listener = listener
  }

  async write(bytes: Uint8Array): Promise<void> {
    const command = Buffer.from(bytes).toString('latin1')
    this.written.push(command)
    const reply = this.answer(command)
    if (reply !== undefined) queueMicrotask(() => this.say(reply)) // before any timer, however busy the machine is
  }

  say(text: string): void {
    this.#listener(Buffer.from(text, 'latin1'))
  }

  unplug(): void {
    this.#lost.abort(new DeviceOffline('unplugged', {}))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unplug()
  }
}

const PATIENT_MS = 10_000 // where an answer comes
const SHORT_MS = 40 // where none does
const position = (address: string): RegExp => new RegExp(`^${address}PO[0-9A-F]{8}$`)

describe('a shared bus', () => {
  let bus: Bus
  let line: BusLine

  beforeEach(() => connect(PATIENT_MS))

  function connect(timeoutMs: number): void {
    bus = new Bus()
    line = new BusLine(bus, {
      replyTerminator: '\r\n',
      timeoutMs,
      gapMs: 0,
      reset: '\r',
      marker: (address) => ({ command: `${address}in`, reply: new RegExp(`^${address}IN$`) }),
      instead: (address) => new RegExp(`^${address}GS[0-9A-F]{2}$`),
    })
  }

  const ask = (address: string, signal = never): Promise<string> =>
    line.exchange(address, 'read', (exchange) => exchange.ask(`${address}gp`, position(address)), signal)

  test('one command is outstanding, and each reply goes to who asked', async () => {
    const both = [ask('2'), ask('3')]
    await until(() => bus.written.length === 1)
    bus.say('2PO00000002\r\n')
    await until(() => bus.written.length === 2)
    bus.say('3PO00000003\r\n')
    expect(await Promise.all(both)).toEqual(['2PO00000002', '3PO00000003'])
    expect(bus.written).toEqual(['2gp', '3gp'])
  })

  test('an address counts at the start of the line alone; noise before it does not hide it', async () => {
    bus.answer = () => '3PO00000003\r\n32PO00000009\r\n\xff\x002PO00000002\r\n'
    expect(await ask('2')).toBe('2PO00000002')
  })

  test('what answers no question goes to who listens at its address', async () => {
    const heard: string[] = []
    line.listen('3', (text) => heard.push(text))
    bus.answer = () => '3PO00000003\r\n2PO00000002\r\n'
    await ask('2')
    bus.say('3GS02\r\n8GS00\r\n')
    expect(heard).toEqual(['3PO00000003', '3GS02'])
  })

  test('a late reply is not taken for the next one: the marker comes first', async () => {
    connect(SHORT_MS)
    expect((await problemOf(ask('2'))).code).toBe('DEADLINE_EXCEEDED')
    bus.answer = (command) => (command === '\r2in' ? '2PO0000000A\r\n2IN\r\n' : '2PO00000002\r\n')
    expect(await ask('2')).toBe('2PO00000002')
    expect(bus.written).toEqual(['2gp', '\r2in', '2gp'])
  })

  test('only the device that owes a reply is asked for its marker', async () => {
    connect(SHORT_MS)
    await problemOf(ask('2'))
    bus.answer = () => '3PO00000003\r\n'
    expect(await ask('3')).toBe('3PO00000003')
    expect(bus.written).toEqual(['2gp', '3gp'])
  })

  test('a device that has an error to tell is in step once it has told it', async () => {
    connect(SHORT_MS)
    const heard: string[] = []
    line.listen('2', (text) => heard.push(text))
    await problemOf(ask('2'))
    let errors = 2
    bus.answer = (command) => {
      if (command === '2gp') return '2PO00000002\r\n'
      errors -= 1
      return errors >= 0 ? '2GS09\r\n' : '2IN\r\n'
    }
    expect(await ask('2')).toBe('2PO00000002')
    expect(heard).toEqual(['2GS09', '2GS09'])
  })

  test('one that says nothing is left in peace for a while, by readings but not by commands', async () => {
    connect(SHORT_MS)
    await problemOf(ask('2'))
    for (let times = 0; times < 2; times += 1) expect((await problemOf(ask('2'))).message).toContain('does not answer 2in')
    const writes = bus.written.length
    expect((await problemOf(ask('2'))).message).toContain('asked again every')
    expect(bus.written).toHaveLength(writes)
    bus.answer = (command) => (command === '\r2in' ? '2IN\r\n' : '2GS00\r\n')
    await line.exchange('2', 'command', (exchange) => exchange.tell('2sv64', /^2GS/), never)
    bus.answer = () => '2PO00000002\r\n'
    expect(await ask('2')).toBe('2PO00000002')
  })

  test('what acts may have acted when its answer is missing; a question has not', async () => {
    connect(SHORT_MS)
    expect((await problemOf(ask('2'))).effect).toBe('NONE')
    const told = line.exchange('3', 'command', (exchange) => exchange.tell('3ma00000000', position('3')), never)
    expect((await problemOf(told)).effect).toBe('POSSIBLE')
  })

  test('the start of a motion keeps the bus no longer than it is told', async () => {
    const heard: string[] = []
    line.listen('2', (text) => heard.push(text))
    const started = await line.exchange('2', 'command', (exchange) => exchange.start('2ma00000002', position('2'), 10), never)
    expect(started).toBeUndefined()
    bus.answer = (command) => (command === '3gp' ? '3PO00000003\r\n' : undefined)
    expect(await ask('3')).toBe('3PO00000003')
    bus.say('2PO00000002\r\n')
    expect(heard).toEqual(['2PO00000002'])
  })

  test('bytes of any value are one answer', async () => {
    const bytes = Buffer.from([0x0d, 0x0a, 0x32, 0x50, 0x4f, 0xff, 0x00, 0x0d, 0x0a])
    const answer = line.exchange(
      '2',
      'command',
      (exchange) => exchange.tellForBytes('2c1', { header: '2C1', length: bytes.length, instead: /^2GS/ }, 1000),
      never,
    )
    await until(() => bus.written.length === 1)
    bus.say('3GS00\r\n2C')
    bus.say('1')
    bus.say(bytes.toString('latin1'))
    bus.say('\r\n')
    expect(Buffer.from(await answer)).toEqual(bytes)
    bus.answer = () => '2PO00000002\r\n'
    expect(await ask('2')).toBe('2PO00000002')
  })

  test('a line in the place of bytes is told at once', async () => {
    bus.answer = () => '2GS03\r\n'
    const shape = { header: '2C1', length: 522, instead: /^2GS/ }
    expect(await line.exchange('2', 'command', (exchange) => exchange.tellForBytes('2c1', shape, 10_000), never)).toBe('2GS03')
  })

  test('an emergency stop is written beside a waiting exchange, and voids it and all that wait', async () => {
    const waiting = [problemOf(ask('2')), problemOf(ask('3'))]
    await until(() => bus.written.length === 1)
    await line.preempt('2', '2st', new EmergencyStopped('stop', { effect: 'POSSIBLE' }))
    expect((await Promise.all(waiting)).map(({ code }) => code)).toEqual(['EMERGENCY_STOPPED', 'EMERGENCY_STOPPED'])
    expect(bus.written).toEqual(['2gp', '2st'])
  })

  test('a lost line ends what waits, with a word', async () => {
    const waiting = problemOf(ask('2'))
    await until(() => bus.written.length === 1)
    bus.unplug()
    expect((await waiting).code).toBe('DEVICE_OFFLINE')
    expect((await problemOf(ask('2'))).code).toBe('DEVICE_OFFLINE')
  })
})

test('lines are the same in whatever pieces they come', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[0-9A-F][A-Z]{2}[0-9A-F]{0,8}$/), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 }),
      (lines, sizes) => {
        const heard: string[] = []
        const reader = new BusReader('\r\n', (text) => heard.push(text))
        let rest = Buffer.from(lines.map((text) => `${text}\r\n`).join(''))
        for (const size of [...sizes, rest.length]) {
          reader.take(rest.subarray(0, size), 0)
          rest = rest.subarray(size)
        }
        expect(heard).toEqual(lines)
      },
    ),
  )
})

test('no bytes end the reader, and none of them stay', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (pieces) => {
      const heard: string[] = []
      const reader = new BusReader('\r\n', (text) => heard.push(text))
      for (const piece of pieces) reader.take(piece, 0)
      reader.forgetStale(1000)
      reader.take(Buffer.from('2PO00000002\r\n'), 1000)
      expect(heard.at(-1)).toBe('2PO00000002')
    }),
  )
})
