import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodePvcamFrame } from '../../native/pvcam.ts'

type Area = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
type Made = { readonly version?: number; readonly areas?: readonly Area[]; readonly binning?: number; readonly extended?: number; readonly announce?: boolean }

const HEAD = 48
const REGION_HEAD = 32
const ROI: Area = { x: 10, y: 20, width: 16, height: 8 }

/** As pvcam.h lays frames out; pixel i of region n is 1000 n + i. */
function frameOf({ version = 3, areas = [ROI], binning = 1, extended = 0, announce = true }: Made = {}): Uint8Array {
  const parts = areas.map(({ width, height }) => (width / binning) * (height / binning) * 2)
  const bytes = new Uint8Array(HEAD + extended + parts.reduce((sum, part) => sum + REGION_HEAD + extended + part, 0))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 5_328_208, true)
  view.setUint8(4, version)
  view.setUint32(5, 77, true)
  view.setUint16(9, areas.length, true)
  if (version === 3) {
    view.setBigUint64(11, 1_000_500n, true) // picoseconds
    view.setBigUint64(19, 23_000_000_000n, true)
    view.setBigUint64(27, 5_000_000n, true)
  } else {
    view.setUint32(11, 3, true)
    view.setUint32(15, 9, true)
    view.setUint32(19, 100_000, true)
    view.setUint32(23, 250, true)
    view.setUint32(27, 1000, true)
  }
  view.setUint8(35, 12)
  view.setUint16(38, extended, true)
  let at = HEAD + extended
  for (const [number, { x, y, width, height }] of areas.entries()) {
    view.setUint16(at, number + 1, true)
    for (const [index, side] of [x, x + width - 1, binning, y, y + height - 1, binning].entries()) view.setUint16(at + 10 + 2 * index, side, true)
    view.setUint16(at + 23, extended, true)
    if (version >= 2 && announce) view.setUint32(at + 25, parts[number] ?? 0, true)
    at += REGION_HEAD + extended
    for (let pixel = 0; pixel < (parts[number] ?? 0) / 2; pixel += 1) view.setUint16(at + 2 * pixel, 1000 * (number + 1) + pixel, true)
    at += parts[number] ?? 0
  }
  return bytes
}

const ONE = { x: 1, y: 1 }

describe('frames with metadata', () => {
  test.each([
    [1, { beginNs: 300_000n, endNs: 900_000n, exposureNs: 250_000n }],
    [2, { beginNs: 300_000n, endNs: 900_000n, exposureNs: 250_000n }],
    [3, { beginNs: 1_000n, endNs: 23_000_000n, exposureNs: 5_000n }],
  ])('of version %d are decoded', (version, times) => {
    const frame = decodePvcamFrame(frameOf({ version }), ROI, ONE)
    expect(frame).toMatchObject({ version, number: 77, bitDepth: 12, regions: 1, ...times })
    expect([...frame.pixels]).toEqual(Array.from({ length: 128 }, (_, pixel) => 1000 + pixel))
  })

  test('extended metadata is passed over, and a size that is not announced is computed', () => {
    expect(decodePvcamFrame(frameOf({ extended: 24, announce: false }), ROI, ONE).pixels[5]).toBe(1005)
  })

  test('regions are put where they were on the sensor, binned, 0 between them', () => {
    const areas = [
      { x: 10, y: 20, width: 4, height: 2 },
      { x: 22, y: 26, width: 4, height: 2 },
    ]
    const { pixels, regions } = decodePvcamFrame(frameOf({ areas, binning: 2 }), ROI, { x: 2, y: 2 })
    expect(regions).toBe(2)
    const rows = Array.from({ length: 4 }, (_, row) => [...pixels.subarray(8 * row, 8 * row + 8)])
    expect(rows).toEqual([
      [1000, 1001, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 2000, 2001],
    ])
  })

  test.each([
    ['a signature that is none', (view: DataView) => view.setUint32(0, 1, true), /signature/],
    ['version 0', (view: DataView) => view.setUint8(4, 0), /version 0/],
    ['version 4', (view: DataView) => view.setUint8(4, 4), /version 4/],
    ['more regions than there are', (view: DataView) => view.setUint16(9, 65_535, true), /header takes 32 bytes/],
    ['pixels of 8 bits', (view: DataView) => view.setUint8(40, 2), /image format 2/],
    ['compression', (view: DataView) => view.setUint8(41, 12), /compression 12/],
    ['extended metadata beyond the end', (view: DataView) => view.setUint16(38, 65_535, true), /extended metadata takes 65535/],
    ['a region that ends before it begins', (view: DataView) => view.setUint16(HEAD + 10, 60, true), /region 1 is none/],
    ['a binning of 0', (view: DataView) => view.setUint16(HEAD + 14, 0, true), /region 1 is none/],
    ['a size that does not fit', (view: DataView) => view.setUint32(HEAD + 25, 4, true), /announces 4 bytes/],
    [
      'a region elsewhere',
      (view: DataView) => view.setUint32(HEAD + 16, (ROI.y - 1) | ((ROI.y + ROI.height - 2) << 16), true), // one row further up
      /does not belong/,
    ],
  ])('%s is refused with words', (_what, spoil, words) => {
    const bytes = frameOf()
    spoil(new DataView(bytes.buffer))
    expect(() => decodePvcamFrame(bytes, ROI, ONE)).toThrow(words)
  })

  test('every beginning of a frame is refused', () => {
    const whole = frameOf({ areas: [ROI, { ...ROI, height: 2 }], extended: 3 })
    for (let length = 0; length < whole.byteLength; length += 1) expect(() => decodePvcamFrame(whole.slice(0, length), ROI, ONE)).toThrow(/bytes are|left/)
  })

  test('hostile bytes are refused or decoded, never more', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 3),
        fc.array(fc.tuple(fc.nat({ max: HEAD + 2 * REGION_HEAD + 10 }), fc.nat({ max: 255 })), { maxLength: 12 }),
        fc.nat({ max: 400 }),
        (version, changes, cut) => {
          const bytes = frameOf({ version, areas: [ROI, { ...ROI, width: 4 }] })
          for (const [at, byte] of changes) bytes[at] = byte
          const given = bytes.slice(0, Math.max(0, bytes.byteLength - cut))
          try {
            expect(decodePvcamFrame(given, ROI, ONE).pixels).toHaveLength(128)
          } catch (error) {
            expect(String(error)).toMatch(/frame metadata: /)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })
})
