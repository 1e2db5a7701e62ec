import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as protocol from '../../../drivers/thorlabs-ell14/protocol.ts'
import { Ell14Bus, RECORDED_MODULES } from '../../../drivers/thorlabs-ell14/simulator.ts'
import { EXACT_MODULES } from './bench.ts'

const host = { random: () => 0.5, accepted: () => undefined }

describe('the simulated bus', () => {
  const told = (bus: Ell14Bus, text: string, seconds = 0): string => Buffer.from(bus.receive(Buffer.from(text), seconds)).toString('latin1')

  test('says what was recorded, byte for byte', () => {
    const bus = new Ell14Bus(host, {
      modules: [
        {
          address: '2',
          identity: '0E1140051720231701016800023000',
          positionPulses: -9572,
          motors: ['100B85FFFFFFFF00B7008D', '100B85FFFFFFFF00B7008D'],
          spreadPulses: 0,
        },
        { address: '3', identity: '0E1140028420211501016800023000', positionPulses: -12_288 },
        { address: '8', identity: '0E1140060920231701016800023000' },
      ],
    })
    expect(told(bus, '2in')).toBe('2IN0E1140051720231701016800023000\r\n')
    expect(told(bus, '3in')).toBe('3IN0E1140028420211501016800023000\r\n')
    expect(told(bus, '8in')).toBe('8IN0E1140060920231701016800023000\r\n')
    expect(told(bus, '2gp')).toBe('2POFFFFDA9C\r\n')
    expect(told(bus, '3gp')).toBe('3POFFFFD000\r\n')
    expect(told(bus, '2i1')).toBe('2I1100B85FFFFFFFF00B7008D\r\n')
    expect(told(bus, '2ma00004600')).toBe('')
    expect(told(bus, '', 10)).toBe('2PO00004600\r\n')
  })

  test('moves at 430°/s, is busy meanwhile, and says where it stands at the end', () => {
    const bus = new Ell14Bus(host, { modules: EXACT_MODULES })
    expect(told(bus, '2ma00011800')).toBe('')
    expect(bus.dueAt()).toBeCloseTo(180 / 430, 6)
    expect(told(bus, '2gs', 0.2)).toBe('2GS09\r\n')
    expect(told(bus, '2ma00000000', 0.2)).toBe('2GS09\r\n')
    expect(told(bus, '3gp', 0.2)).toBe('3PO00000000\r\n')
    expect(told(bus, '', 0.5)).toBe('2PO00011800\r\n')
    expect(told(bus, '2gs', 0.5)).toBe('2GS00\r\n')
    told(bus, '2sv32', 1)
    told(bus, '2ma00000000', 1)
    expect(bus.dueAt()).toBeCloseTo(1 + 180 / 215, 6)
  })

  test('stalls at a low velocity and reports a mechanical time-out', () => {
    const bus = new Ell14Bus(host, { modules: EXACT_MODULES })
    expect(told(bus, '2sv0A2ma00004600')).toBe('2GS00\r\n')
    expect(told(bus, '', 3)).toBe('2GS02\r\n')
    expect(told(bus, '2gp', 3)).toBe('2PO00000000\r\n')
  })

  test('forgets half a packet after two seconds, and at a carriage return', () => {
    const bus = new Ell14Bus(host, { modules: EXACT_MODULES })
    expect(told(bus, '2ma0000', 0)).toBe('')
    expect(told(bus, '2gp', 2.5)).toBe('2PO00000000\r\n')
    expect(told(bus, '2ma0000\r2gp', 2.6)).toBe('2PO00000000\r\n')
    expect(told(bus, '2ma', 2.7) + told(bus, '00004600', 4)).toBe('')
    expect(told(bus, '', 10)).toBe('2PO00004600\r\n')
    expect(told(bus, '\u00ff~2gp', 11)).toBe('2PO00004600\r\n')
  })

  test('refuses what it does not know and what is out of range', () => {
    const bus = new Ell14Bus(host, { modules: EXACT_MODULES })
    expect(told(bus, '2bv')).toBe('2GS03\r\n')
    expect(told(bus, '2sv65')).toBe('2GS04\r\n')
    expect(told(bus, '2ma00023001')).toBe('2GS0C\r\n')
    expect(told(bus, '2ma0000460a')).toBe('2GS03\r\n')
    expect(told(bus, '7gp')).toBe('')
  })

  test('a group moves with one command, once', () => {
    const bus = new Ell14Bus(host, { modules: EXACT_MODULES })
    expect(told(bus, '3ga2')).toBe('3GS00\r\n')
    told(bus, '2ma00004600')
    expect(told(bus, '', 1)).toBe('2PO00004600\r\n3PO00004600\r\n')
    told(bus, '2ma00000000', 1)
    expect(told(bus, '', 2)).toBe('2PO00000000\r\n')
  })

  test('a third module that moves with two others browns the bus out', () => {
    const bus = new Ell14Bus(host, { modules: EXACT_MODULES })
    told(bus, '2ma00011800')
    told(bus, '3ma00011800')
    expect(told(bus, '8ma00011800', 0.1)).toBe('')
    expect(told(bus, '2gs', 0.2)).toBe('')
    expect(told(bus, '2gs', 1)).toBe('2GS07\r\n')
  })

  test('isolated it says nothing until its time is over', () => {
    const bus = new Ell14Bus(host, { modules: EXACT_MODULES })
    expect(told(bus, '2is01')).toBe('2GS00\r\n')
    expect(told(bus, '2gp', 30)).toBe('')
    expect(told(bus, '3gp', 30)).toBe('3PO00000000\r\n')
    expect(told(bus, '2gp', 61)).toBe('2PO00000000\r\n')
    told(bus, '2is01', 62)
    expect(told(bus, '2is00', 63)).toBe('2GS06\r\n')
    expect(told(bus, '2gp', 64)).toBe('2PO00000000\r\n')
  })

  test('every documented error is told by who moves, or by who is spoken to next', () => {
    for (const code of protocol.ERROR_CODES) {
      const bus = new Ell14Bus(host, { modules: EXACT_MODULES })
      bus.provoke(code, 0)
      expect(told(bus, '3gp')).toBe(`3GS${code}\r\n`)
      expect(told(bus, '3gp')).toBe('3PO00000000\r\n')
      told(bus, '2ma00011800')
      bus.provoke(code, 0.1)
      expect(told(bus, '', 0.1)).toBe(`2GS${code}\r\n`)
    }
  })

  test('stands whatever it is sent', () => {
    const nearly = fc.stringMatching(/^([0-9A-G][a-z]{2}[0-9A-F]{0,9}\r?){1,6}$/).map((text) => Buffer.from(text))
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), nearly), { maxLength: 20 }), (messages) => {
        const bus = new Ell14Bus({ random: () => 0.3, accepted: () => undefined }, { modules: RECORDED_MODULES })
        messages.forEach((message, second) => {
          const said = Buffer.from(bus.receive(message, second)).toString('latin1')
          if (!/[0-9A-F]C[12]/.test(said)) expect(said).toMatch(/^([0-9A-F][A-Z][A-Z12][0-9A-F]*\r\n)*$/)
        })
        for (const module of bus.modules) expect(Number.isSafeInteger(module.position(messages.length))).toBe(true)
      }),
    )
  })
})
