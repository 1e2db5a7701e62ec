import { describe, expect, it } from 'vitest'
import { checkedRate, frameRequest } from '../../api/frames/request.ts'
import { createFrameTickets, type FrameRequest } from '../../api/frames/ticket.ts'
import type { CameraState } from '../../core/device.ts'
import { uuidv7 } from '../../core/id.ts'

const REQUEST: FrameRequest = {
  deviceId: uuidv7(),
  maxRateHz: 10,
  view: { quality: 'PREVIEW', compression: 'LZ4', roi: { x: 1, y: 2, width: 3, height: 4 } },
}

function ticketOf(url: string): string {
  return new URL(url, 'http://localhost').searchParams.get('ticket') ?? ''
}

describe('a ticket', () => {
  it('is good for its view and no other, for a short time, and at every api of the lab', () => {
    let now = 1_000
    const tickets = createFrameTickets('key', () => now)
    const { url, expiresAt } = tickets.issue(REQUEST)
    expect(expiresAt).toEqual(new Date(31_000))
    expect(tickets.check(ticketOf(url))).toEqual(REQUEST)
    expect(createFrameTickets('key', () => now).check(ticketOf(url))).toEqual(REQUEST)
    expect(createFrameTickets('other', () => now).check(ticketOf(url))).toBeUndefined()
    now = 31_001
    expect(tickets.check(ticketOf(url))).toBeUndefined()
  })

  it('is void once anything of it is changed', () => {
    const tickets = createFrameTickets('key')
    const [body = '', signature = ''] = ticketOf(tickets.issue(REQUEST).url).split('.')
    const changed = (change: (text: string) => string) => `${Buffer.from(change(Buffer.from(body, 'base64url').toString())).toString('base64url')}.${signature}`
    expect(tickets.check(changed((text) => text))).toEqual(REQUEST)
    expect(tickets.check(changed((text) => text.replace('PREVIEW', 'FULL')))).toBeUndefined()
    expect(tickets.check(changed((text) => text.replace(REQUEST.deviceId, uuidv7())))).toBeUndefined()
    expect(tickets.check(changed((text) => text.replace('"width":3', '"width":9')))).toBeUndefined()
    expect(tickets.check(changed((text) => text.replace(/^\[\d+/, '[9999999999999')))).toBeUndefined()
    const bytes = Buffer.from(signature, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(tickets.check(`${body}.${flipped.toString('base64url')}`)).toBeUndefined()
    }
    expect(tickets.check(`${body}.${bytes.subarray(0, 31).toString('base64url')}`)).toBeUndefined()
  })

  it('for a thumbnail shows no frames, and the other way round', () => {
    const tickets = createFrameTickets('key')
    const thumbnail = ticketOf(tickets.thumbnailUrl({ deviceId: REQUEST.deviceId, maxSide: 64 }))
    expect(tickets.checkThumbnail(thumbnail)).toEqual({ deviceId: REQUEST.deviceId, maxSide: 64 })
    expect(tickets.check(thumbnail)).toBeUndefined()
    expect(tickets.checkThumbnail(ticketOf(tickets.issue(REQUEST).url))).toBeUndefined()
  })

  it.each([null, '', '.', 'nonsense', 'a.b', `${'x'.repeat(10_000)}.y`])('is none: %s', (ticket) => {
    expect(createFrameTickets('key').check(ticket)).toBeUndefined()
  })
})

describe('what may be asked for', () => {
  const camera: CameraState = {
    width: 100,
    height: 50,
    bitDepth: 16,
    dtype: 'uint16',
    roi: { x: 10, y: 10, width: 20, height: 20 },
    binning: { x: 2, y: 2 },
    exposureParameter: 'exposure',
    streaming: true,
    framesProduced: 0,
    framesDropped: 0,
  }
  const ask = (roi: { x: number; y: number; width: number; height: number }) => frameRequest('id', camera, { ...REQUEST.view, roi }, 10)

  it('is any region of the sensor, whatever the camera is set to', () => {
    expect(ask({ x: 99, y: 49, width: 1, height: 1 }).view.roi).toEqual({ x: 99, y: 49, width: 1, height: 1 })
  })

  it.each([
    [{ x: -1, y: 0, width: 1, height: 1 }, 'roi.x: -1 is outside 0 … 99'],
    [{ x: 100, y: 0, width: 1, height: 1 }, 'roi.x: 100 is outside 0 … 99'],
    [{ x: 0, y: 50, width: 1, height: 1 }, 'roi.y: 50 is outside 0 … 49'],
    [{ x: 90, y: 0, width: 11, height: 1 }, 'roi.width: 11 is outside 1 … 10'],
    [{ x: 0, y: 0, width: 1, height: 0 }, 'roi.height: 0 is outside 1 … 50'],
    [{ x: 0, y: 0, width: 1.5, height: 1 }, 'roi.width: 1.5'],
  ])('is not %j', (roi, reason) => {
    expect(() => ask(roi)).toThrow(reason)
  })

  it.each([0, -1, 61, Number.NaN, Number.POSITIVE_INFINITY, 0.0001])('is not %d Hz', (hz) => {
    expect(() => checkedRate(hz)).toThrow(/maxRateHz: .* is outside 0.001 … 60 Hz/)
  })
})
