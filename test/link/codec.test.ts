import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMessage, MalformedMessage, MessageReader } from '../../link/codec.ts'

const MAX = 1 << 20

function decodeAll(bytes: Buffer, cuts: readonly number[]): unknown[] {
  const reader = new MessageReader(MAX)
  const edges = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length]
  return edges.slice(1).flatMap((end, at) => [...reader.push(bytes.subarray(edges[at], end))])
}

const plain = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true }).map((value) => value + 0),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.uint8Array(),
    fc.array(tie('any'), { maxLength: 5 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('any'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).any

describe('the codec of the link', () => {
  it('brings back what was sent, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(plain, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(2000)), (messages, cuts) => {
        expect(decodeAll(Buffer.concat(messages.map(encodeMessage)), cuts)).toEqual(messages)
      }),
    )
  })

  it('keeps a nanosecond time a bigint, and a whole number a number', () => {
    const message = { time: 1_790_000_000_123_456_789n, small: 1n, bytes: 5_000_000_000, minus: -1n }
    expect(decodeAll(encodeMessage(message), [])).toEqual([message])
  })

  it('keeps pixels typed and independent of the buffer they came in', () => {
    const [back] = decodeAll(encodeMessage({ pixels: Uint8Array.of(1, 2, 3) }), [3]) as [{ pixels: Uint8Array }]
    expect(back.pixels).toBeInstanceOf(Uint8Array)
    expect([...back.pixels]).toEqual([1, 2, 3])
  })

  it('holds earlier messages whole while it packs later ones', () => {
    const packed = Array.from({ length: 500 }, (_, at) => encodeMessage({ at, text: 'x'.repeat(at * 7) }))
    expect(decodeAll(Buffer.concat(packed), [])).toEqual(Array.from({ length: 500 }, (_, at) => ({ at, text: 'x'.repeat(at * 7) })))
  })

  it('refuses a message over the bound before its bytes have come', () => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(MAX + 1)
    expect(() => decodeAll(head, [])).toThrow(MalformedMessage)
    expect(() => decodeAll(Buffer.alloc(4), [])).toThrow(MalformedMessage)
  })

  it('turns any garbage into messages or into MalformedMessage, nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 5 }), (payloads) => {
        const bytes = Buffer.concat(
          payloads.map((payload) => {
            const head = Buffer.alloc(4)
            head.writeUInt32BE(payload.length)
            return Buffer.concat([head, payload])
          }),
        )
        try {
          decodeAll(bytes, [])
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
