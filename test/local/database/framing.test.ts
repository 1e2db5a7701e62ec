import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchBuilder } from '../../../local/database/batch.ts'
import { backendMessages, MAX_MESSAGE_BYTES, MAX_STARTUP_BYTES, MessageReader, message, ProtocolViolation } from '../../../local/database/framing.ts'
import { parseOptions, parseStartup } from '../../../local/database/startup.ts'
import { bind, parse, query, startup, sync } from './raw-client.ts'

const type = fc.constantFrom(...'QPBDESCHXdcf')
const messages = fc.array(fc.tuple(type, fc.uint8Array({ maxLength: 200 })), { minLength: 1, maxLength: 20 })

/** Cuts bytes at the given places. */
function chunks(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return places.map((end, index) => bytes.subarray(index === 0 ? 0 : places[index - 1], end))
}

describe('MessageReader', () => {
  it('finds the same messages however the stream is cut', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 30 }), (given, cuts) => {
        const reader = new MessageReader()
        reader.startupDone()
        const found: [string, string][] = []
        for (const chunk of chunks(Buffer.concat(given.map(([letter, body]) => message(letter, body))), cuts)) {
          reader.push(chunk)
          for (let next = reader.next(); next !== undefined; next = reader.next()) found.push([next.type, next.bytes.subarray(5).toString('hex')])
        }
        expect(found).toEqual(given.map(([letter, body]) => [letter, Buffer.from(body).toString('hex')]))
      }),
    )
  })

  it('throws nothing but ProtocolViolation for random bytes, nor does what reads them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, started) => {
        const reader = new MessageReader()
        if (started) reader.startupDone()
        const builder = new BatchBuilder('c1_')
        reader.push(Buffer.from(bytes))
        try {
          for (let next = reader.next(); next !== undefined; next = reader.next()) started ? builder.add(next) : parseStartup(next.bytes)
        } catch (error) {
          if (!(error instanceof RangeError)) expect(error).toBeInstanceOf(ProtocolViolation)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('refuses a length before it keeps bytes for it', () => {
    const reader = new MessageReader()
    reader.push(Buffer.from([0, 0, 0x7f, 0xff]))
    expect(() => reader.next()).toThrow(`at most ${MAX_STARTUP_BYTES}`)
    const started = new MessageReader()
    started.startupDone()
    started.push(Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff]))
    expect(() => started.next()).toThrow(`at most ${MAX_MESSAGE_BYTES}`)
  })
})

describe('the start-up packet', () => {
  it('gives the database and the settings, those of options unescaped', () => {
    expect(parseStartup(startup({ user: 'anna', application_name: 'x', options: String.raw`-c search_path=a\ b --work-mem=4MB -cgeqo=off` }))).toEqual({
      kind: 'session',
      database: 'anna',
      settings: new Map([
        ['application_name', 'x'],
        ['search_path', 'a b'],
        ['work_mem', '4MB'],
        ['geqo', 'off'],
      ]),
    })
  })

  it('has options of any text', () => {
    fc.assert(fc.property(fc.string(), (options) => void parseOptions(options)))
  })
})

describe('BatchBuilder', () => {
  const build = (...given: readonly Buffer[]) => {
    const reader = new MessageReader()
    reader.startupDone()
    const builder = new BatchBuilder('c7_')
    reader.push(Buffer.concat(given))
    const batches = []
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      const batch = builder.add(next)
      if (batch !== undefined) batches.push(batch)
    }
    return { batches, builder }
  }

  it('gives statement names the prefix of their client, and forgets closed ones', () => {
    const { batches, builder } = build(parse('one', 'SELECT 1'), bind('one'), sync, message('C', Buffer.from('S'), 'one'), sync)
    expect([...backendMessages(batches[0]?.data ?? Buffer.alloc(0))].map(({ bytes }) => bytes.toString('latin1'))).toEqual([
      parse('c7_one', 'SELECT 1').toString('latin1'),
      bind('c7_one').toString('latin1'),
      sync.toString('latin1'),
    ])
    expect([...builder.statements]).toEqual([])
  })

  it('knows whether the unnamed statement comes from an earlier batch', () => {
    expect(build(parse('', 'SELECT 1'), bind(''), sync).batches[0]).toMatchObject({ needsUnnamed: false, parsesUnnamed: parse('', 'SELECT 1') })
    expect(build(bind(''), sync).batches[0]).toMatchObject({ needsUnnamed: true, parsesUnnamed: undefined })
    expect(build(bind('named'), sync).batches[0]).toMatchObject({ needsUnnamed: false })
    expect(build(parse('', `SELECT '${'x'.repeat(100_000)}'`), sync).batches[0]).toMatchObject({ parsesUnnamed: false })
  })

  it('makes one batch of a simple query', () => {
    expect(build(query('SELECT 1'), query('LISTEN news')).batches.map(({ listen }) => listen)).toEqual([[], ['news']])
  })
})
