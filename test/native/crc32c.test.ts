import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from '../../native/files.ts'

const LONGEST = 70_000 // beyond two rounds of the stripes that are taken side by side

/** Bit by bit, as RFC 3720 defines it. */
function bitwise(bytes: Uint8Array): number {
  let state = 0xffff_ffff
  for (const byte of bytes) {
    state ^= byte
    for (let bit = 0; bit < 8; bit += 1) state = (state >>> 1) ^ ((state & 1) !== 0 ? 0x82f6_3b78 : 0)
  }
  return ~state >>> 0
}

test('is CRC-32C, by the examples of RFC 3720, B.4', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe306_9283)
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a91_36aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8_ab43)
})

test('is CRC-32C of any length, in one piece or two, wherever it begins in memory', () => {
  const random = Uint8Array.from({ length: LONGEST }, (_, at) => (at * at * 2_654_435_761) >>> 13)
  const place = fc.nat({ max: LONGEST })
  fc.assert(
    fc.property(place, place, place, (...places) => {
      const [from, middle, to] = places.toSorted((a, b) => a - b) as [number, number, number]
      const expected = bitwise(random.subarray(from, to))
      expect(crc32c(random.subarray(from, to))).toBe(expected)
      expect(crc32c(random.subarray(middle, to), crc32c(random.subarray(from, middle)))).toBe(expected)
    }),
    {
      numRuns: 60,
      examples: [
        [0, 0, 0],
        [0, 24_576, 49_152],
        [1, 24_577, LONGEST],
      ],
    },
  )
})

test('of nothing is what came before', () => {
  expect(crc32c(Buffer.alloc(0), 7)).toBe(7)
})
