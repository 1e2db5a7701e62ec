import { expect, test } from 'vitest'
import { decodeFrame, FRAME_HEADER_BYTES, FRAME_MAGIC } from '../../web/src/model/frame-header.ts'

function message(change: (view: DataView) => void = () => undefined): ArrayBuffer {
  const buffer = new ArrayBuffer(FRAME_HEADER_BYTES + 3 * 2 * 2)
  const view = new DataView(buffer)
  view.setUint32(0, FRAME_MAGIC, true)
  view.setUint16(4, 1, true)
  view.setUint16(6, FRAME_HEADER_BYTES, true)
  view.setBigUint64(8, 41n, true)
  view.setBigInt64(16, 1_772_356_500_123_000_000n, true)
  view.setUint32(24, 3, true)
  view.setUint32(28, 2, true)
  view.setUint32(32, 1, true)
  view.setUint32(36, 20_000, true)
  view.setUint32(40, 5, true)
  view.setUint32(44, 7, true)
  view.setUint16(48, 10, true)
  view.setUint16(50, 60_000, true)
  view.setFloat32(52, 123.5, true)
  ;[1, 2, 3, 4, 5, 65_535].forEach((pixel, at) => {
    view.setUint16(FRAME_HEADER_BYTES + 2 * at, pixel, true)
  })
  change(view)
  return buffer
}

test('reads every field and sees the pixels without a copy', () => {
  const buffer = message()
  const { pixels, ...header } = decodeFrame(buffer)
  expect(header).toEqual({
    sequence: 41,
    timeMs: 1_772_356_500_123,
    width: 3,
    height: 2,
    exposureSeconds: 0.02,
    dropped: 5,
    skipped: 7,
    minimum: 10,
    maximum: 60_000,
    mean: 123.5,
  })
  expect([...pixels]).toEqual([1, 2, 3, 4, 5, 65_535])
  expect(pixels.buffer).toBe(buffer)
})

test.each([
  ['too short', new ArrayBuffer(10), 'shorter than its header'],
  ['not a frame', message((view) => view.setUint32(0, 0, true)), 'begins with 0x0'],
  ['a later version', message((view) => view.setUint16(4, 2, true)), 'reload'],
  ['other pixels', message((view) => view.setUint32(32, 9, true)), 'pixel type 9'],
  ['cut off', message((view) => view.setUint32(28, 3, true)), '12 came'],
])('refuses a message that is %s, and says why', (_, buffer, reason) => {
  expect(() => decodeFrame(buffer)).toThrow(reason)
})
