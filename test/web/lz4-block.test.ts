import { expect, test } from 'vitest'
import { unpackLz4 } from '../../web/src/model/lz4-block.ts'

function unpacked(block: readonly number[], bytes: number): Uint8Array {
  const out = new Uint8Array(bytes)
  unpackLz4(Uint8Array.from(block), out)
  return out
}

test('lengths that go on, of literals and of matches', () => {
  const literals = Array.from({ length: 300 }, (_, at) => at % 256)
  // 300 = 15 + 255 + 30; a match of 4 + 15 + 255 + 1 = 275 from 300 back
  const block = [0xff, 255, 30, ...literals, 44, 1, 255, 1, 0x10, 9]
  expect(unpacked(block, 576)).toEqual(Uint8Array.from([...literals, ...literals.slice(0, 275), 9]))
})

test('a match that overlaps itself repeats', () => {
  expect(unpacked([0x24, 1, 2, 2, 0, 0x10, 5], 11)).toEqual(Uint8Array.of(1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 5))
})

test.each([
  ['nothing', []],
  ['cut in the literals', [0x30, 1, 2]],
  ['cut in a length', [0xf0]],
  ['cut behind the literals', [0x11, 1, 1]],
  ['a match from before the beginning', [0x10, 1, 2, 0, 0x50, 1, 2, 3, 4, 5]],
  ['a match from nowhere', [0x10, 1, 0, 0, 0x50, 1, 2, 3, 4, 5]],
  ['too much', [0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ['too little', [0x50, 1, 2, 3, 4, 5]],
])('refuses %s', (_, block) => {
  expect(() => unpacked(block, 10)).toThrow('damaged')
})
