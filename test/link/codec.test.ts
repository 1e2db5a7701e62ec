import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMessage, encodeParts, MalformedMessage, MessageReader } from '../../link/codec.ts'

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

  it('sends a picture beside its message, as the same bytes, and puts it together however they are cut', () => {
    const item = (pixels: Uint8Array) => ({ type: 'item', id: 1, item: { header: { time: 2n ** 60n }, pixels } })
    const pixels = Uint8Array.from({ length: 20_000 }, (_, at) => at * 7)
    expect(encodeParts(item(pixels))[1]).toBe(pixels)
    const cuts = fc.array(fc.nat(70_000), { maxLength: 20 })
    fc.assert(
      fc.property(fc.array(fc.oneof(plain, fc.constantFrom(item(pixels), item(pixels.subarray(0, 9))))), cuts, (messages, at) => {
        const back = decodeAll(Buffer.concat(messages.flatMap(encodeParts)), at)
        const plainBytes = (value: unknown) => JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each))
        expect(back.map(plainText)).toEqual(messages.map(plainText))
        function plainText(message: unknown): string {
          const found = (message as ReturnType<typeof item> | null)?.item?.pixels
          return found instanceof Uint8Array ? `picture ${Buffer.from(found).toString('base64')}` : plainBytes(message)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('refuses a picture that belongs to nothing, is too large, or is none', () => {
    const [head = Buffer.alloc(0)] = encodeParts({ item: { pixels: new Uint8Array(5000) } })
    for (const bytes of [0, MAX + 1, 0xffff_ffff]) {
      const changed = Buffer.from(head)
      changed.writeUInt32BE(bytes, 4)
      expect(() => decodeAll(changed, [])).toThrow(MalformedMessage)
    }
    const lone = encodeMessage({ item: null })
    const flagged = Buffer.concat([Buffer.alloc(8), lone.subarray(4)])
    flagged.writeUInt32BE(0x8000_0000 + lone.length - 4, 0)
    flagged.writeUInt32BE(9, 4)
    expect(() => decodeAll(flagged, [])).toThrow(MalformedMessage)
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
