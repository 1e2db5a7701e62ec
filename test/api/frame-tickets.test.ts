import { describe, expect, it } from 'vitest'
import { createFrameTickets, type FrameView } from '../../api/frames/ticket.ts'
import { uuidv7 } from '../../core/id.ts'

const VIEW: FrameView = { deviceId: uuidv7(), quality: 'PREVIEW', maxRateHz: 10 }

function ticketOf(url: string): string {
  return new URL(url, 'http://localhost').searchParams.get('ticket') ?? ''
}

describe('a ticket', () => {
  it('is good for its view and no other, for a short time, and at every api of the lab', () => {
    let now = 1_000
    const tickets = createFrameTickets('key', () => now)
    const ticket = ticketOf(tickets.issue(VIEW).url)
    expect(tickets.check(ticket)).toEqual(VIEW)
    expect(createFrameTickets('key', () => now).check(ticket)).toEqual(VIEW)
    expect(createFrameTickets('other', () => now).check(ticket)).toBeUndefined()
    now += 30_001
    expect(tickets.check(ticket)).toBeUndefined()
  })

  it('is void once anything of it is changed', () => {
    const tickets = createFrameTickets('key')
    const ticket = ticketOf(tickets.issue(VIEW).url)
    const [body = '', signature = ''] = ticket.split('.')
    const forged = (change: (text: string) => string) => `${Buffer.from(change(Buffer.from(body, 'base64url').toString())).toString('base64url')}.${signature}`
    expect(tickets.check(forged((text) => text))).toEqual(VIEW)
    expect(tickets.check(forged((text) => text.replace('PREVIEW', 'FULL')))).toBeUndefined()
    expect(tickets.check(forged((text) => text.replace(VIEW.deviceId, uuidv7())))).toBeUndefined()
    for (let at = 0; at < ticket.length; at += 1) {
      const altered = `${ticket.slice(0, at)}${ticket[at] === 'A' ? 'B' : 'A'}${ticket.slice(at + 1)}`
      expect(
        tickets.check(altered) === undefined || Buffer.from(altered.split('.')[1] ?? '', 'base64url').equals(Buffer.from(signature, 'base64url')),
        altered,
      ).toBe(true)
    }
  })

  it.each([null, '', '.', 'nonsense', 'a.b', `${'x'.repeat(10_000)}.y`])('is none: %s', (ticket) => {
    expect(createFrameTickets('key').check(ticket)).toBeUndefined()
  })
})
