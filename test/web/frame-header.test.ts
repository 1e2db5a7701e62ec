import { expect, test } from 'vitest'
import { encodeHeader, FRAME_HEADER_BYTES } from '../../api/frames/header.ts'
import { decodeFrame } from '../../web/src/model/frame-header.ts'
import { frameHeader } from '../frame-header.ts'

const PIXELS = Uint16Array.of(1, 2, 3, 4, 5, 65_535)
const FULL = frameHeader(3, 2, {
  sequence: 41,
  time: 1_772_356_500_123_000_000n,
  hardwareTime: 5_000_000n,
  exposureSeconds: 0.02,
  roi: { x: 100, y: 200, width: 12, height: 8 },
  bin: 4,
  bitDepth: 12,
  minimum: 10,
  maximum: 60_000,
  mean: 123.456,
  saturated: 9,
  dropped: 5,
})

function message(change: (view: DataView) => void = () => undefined, header = FULL, pixels = new Uint8Array(PIXELS.buffer)): ArrayBuffer {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + pixels.byteLength)
  bytes.set(encodeHeader(header, 3, 7))
  bytes.set(pixels, FRAME_HEADER_BYTES)
  change(new DataView(bytes.buffer))
  return bytes.buffer
}

test('reads every field that the api writes, and sees the pixels without a copy', () => {
  const buffer = message()
  const { pixels, ...header } = decodeFrame(buffer)
  expect(header).toEqual({
    view: 3,
    sequence: 41,
    timeMs: 1_772_356_500_123,
    hardwareTimeMs: 5,
    width: 3,
    height: 2,
    bitDepth: 12,
    encoding: 'RAW',
    rawBytes: 12,
    roi: { x: 100, y: 200, width: 12, height: 8 },
    bin: 4,
    exposureSeconds: 0.02,
    minimum: 10,
    maximum: 60_000,
    mean: 123.456,
    saturated: 9,
    dropped: 5,
    skipped: 7,
  })
  expect(pixels).toEqual(PIXELS)
  expect(pixels.buffer).toBe(buffer)
})

test('a camera without a clock has no hardware time', () => {
  expect(decodeFrame(message(undefined, frameHeader(3, 2))).hardwareTimeMs).toBeUndefined()
})

test('counts that do not fit stop at the largest', () => {
  expect(decodeFrame(message(undefined, { ...FULL, dropped: 2 ** 40 })).dropped).toBe(2 ** 32 - 1)
})

test('unpacks LZ4', () => {
  // five literals, a match of 4 from 1 back, one literal and no match
  const block = Uint8Array.of(0x30, 1, 2, 3, 1, 0, 0x50, 7, 8, 9, 10, 11)
  const { pixels } = decodeFrame(message(undefined, { ...FULL, encoding: 'LZ4' }, block))
  expect(new Uint8Array(pixels.buffer)).toEqual(Uint8Array.of(1, 2, 3, 3, 3, 3, 3, 7, 8, 9, 10, 11))
})

test.each([
  ['too short', new ArrayBuffer(10), 'shorter than its header'],
  ['not a frame', message((view) => view.setUint32(0, 0, true)), 'begins with 0x0'],
  ['a later version', message((view) => view.setUint16(4, 3, true)), 'reload'],
  ['other pixels', message((view) => view.setUint16(48, 9, true)), 'pixel type 9'],
  ['packed otherwise', message((view) => view.setUint16(50, 9, true)), 'encoding 9'],
  ['cut off', message(undefined, frameHeader(3, 3)), '12 came'],
  ['of another length than it says', message((view) => view.setUint32(52, 11, true)), 'cannot have 11 bytes'],
])('refuses a message that is %s, and says why', (_, buffer, reason) => {
  expect(() => decodeFrame(buffer)).toThrow(reason)
})
