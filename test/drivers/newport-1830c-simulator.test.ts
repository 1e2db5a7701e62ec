import { describe, expect, test } from 'vitest'
import * as protocol from '../../drivers/newport-1830c/protocol.ts'
import { type Newport1830cOptions, Newport1830cSimulator } from '../../drivers/newport-1830c/simulator.ts'
import { unitOf } from '../../drivers/newport-1830c/units.ts'
import { seededRandom } from '../../drivers/simulation/random.ts'

describe('the simulated meter', () => {
  const meter = (options: Partial<Newport1830cOptions> = {}, random = () => 0) =>
    new Newport1830cSimulator({ random, accepted: () => undefined }, { light: () => 1e-3, ...options })
  const at = (simulator: Newport1830cSimulator, text: string, seconds = 0): string =>
    Buffer.from(simulator.receive(Buffer.from(`${text}\n`, 'latin1'), seconds)).toString('latin1')

  test.each([
    ['+.11E-9', 0.11e-9, 'R1'],
    ['+.75E-9', 0.75e-9, 'R1'],
    ['+.75E-9', 0.75e-9, 'R0'],
    ['5E-9', 5e-9, 'R3'],
    ['9E-9', 9e-9, 'R3'],
    ['1E-9', 1e-9, 'R3'],
    ['-15.24', 1e-3 * 10 ** -1.524, 'U2'],
  ])('answers %s, as it was recorded', (reply, watts, set) => {
    const simulator = meter({ light: () => watts })
    at(simulator, set)
    expect(at(simulator, 'D?', 1)).toBe(`${reply}\n`)
    expect(at(simulator, 'W?', 1)).toBe('0800\n')
  })

  test.each([
    ['fast', 'F3', 1],
    ['medium', 'F2', 4],
    ['slow', 'F1', 16],
  ] as const)('a step of light is there after the readings that the %s filter averages', (_, set, readings) => {
    let light = 1e-3
    const simulator = meter({ light: (seconds) => (seconds < 10 ? 1e-3 : light) })
    at(simulator, set)
    expect(Number(at(simulator, 'D?', 9.99))).toBeCloseTo(1e-3, 9)
    light = 2e-3
    for (let reading = 1; reading < readings; reading += 1)
      expect(Number(at(simulator, 'D?', 10 + (reading - 0.5) / 10))).toBeCloseTo(1e-3 * (1 + reading / readings), 5)
    expect(Number(at(simulator, 'D?', 10 + (readings - 0.5) / 10))).toBeCloseTo(2e-3, 9)
  })

  test('its noise is one percent, and less when it averages', () => {
    const spread = (set: string): number => {
      const simulator = meter({}, seededRandom(7))
      at(simulator, set)
      const readings = Array.from({ length: 400 }, (_, count) => Number(at(simulator, 'D?', 10 + count * 1.6)))
      const mean = readings.reduce((sum, reading) => sum + reading, 0) / readings.length
      return Math.sqrt(readings.reduce((sum, reading) => sum + (reading - mean) ** 2, 0) / readings.length) / mean
    }
    expect(spread('F3')).toBeGreaterThan(0.008)
    expect(spread('F3')).toBeLessThan(0.012)
    expect(spread('F1')).toBeLessThan(0.004)
  })

  test('a change of range costs readings: it is busy, and answers D? when it has settled', () => {
    const simulator = meter()
    at(simulator, 'R8', 1)
    expect(at(simulator, 'Q?', 1.1)).toBe('32\n')
    expect(at(simulator, 'D?\nW?', 1.1)).toBe('')
    expect(simulator.dueAt()).toBeCloseTo(1.3, 9)
    expect(Buffer.from(simulator.receive(new Uint8Array(), 1.3)).toString()).toBe('+1.0E-3\n0800\n')
    expect(simulator.dueAt()).toBeUndefined()
  })

  test('takes the background away, holds its display, and counts from a reference', () => {
    let light = 1e-3
    const simulator = meter({ light: () => light })
    at(simulator, 'Z1')
    light = 3e-3
    expect(at(simulator, 'D?', 1)).toBe('+2.000E-3\n')
    at(simulator, 'G0', 1)
    light = 5e-3
    expect(at(simulator, 'D?', 2)).toBe('+2.000E-3\n')
    expect(at(simulator, 'G1\nZ0\nD?', 3)).toBe('+5.000E-3\n')
    at(simulator, 'S\nU3', 3)
    light = 10e-3
    expect(at(simulator, 'D?', 4)).toBe('3.01\n')
    expect(at(simulator, 'U4\nD?', 4)).toBe('2.0000\n')
  })

  test('reads too little at a wavelength that is not that of the light', () => {
    const simulator = meter({ lightNm: () => 400 })
    expect(Number(at(simulator, 'D?'))).toBeCloseTo(0.5e-3, 6)
    expect(Number(at(simulator, 'W0400\nD?'))).toBeCloseTo(1e-3, 6)
  })

  test('what it does not understand sets a bit and is not answered; each bit can be provoked and cleared', () => {
    for (const [text, bit] of [
      ['X?', 2],
      ['nonsense', 2],
      ['W9999', 1],
      ['R9', 1],
      ['F0', 1],
      ['D', 2],
    ] as const) {
      const simulator = meter()
      expect(at(simulator, text)).toBe('')
      expect(at(simulator, 'Q?')).toBe(`${bit + 128}\n`) // and a reading that nobody asked for
    }
    const simulator = meter()
    for (const code of simulator.errors) {
      simulator.provoke(code)
      expect(protocol.parseStatus(at(simulator, 'Q?').trim())?.has(code as protocol.StatusBit)).toBe(true)
      at(simulator, 'CS')
    }
  })

  test('repeats what it is told while its echo is on', () => {
    const simulator = meter()
    expect(at(simulator, 'E1\nW?\nE0\nW?')).toBe('W?\n0800\nE0\n0800\n')
  })

  test.each([
    ['W-dBm-dB-REL', '2', 'dBm'],
    ['W-dB-dBm-REL', '2', 'dB'],
    ['from-zero', '1', 'dBm'],
  ] as const)('in the table %s, %s is %s', (table, code, unit) => {
    expect(unitOf(table, code)).toBe(unit)
    const simulator = meter({ unitCodes: table })
    simulator.turnUnits(unit)
    expect(at(simulator, 'U?')).toBe(`${code}\n`)
  })
})
