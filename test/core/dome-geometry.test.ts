import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DomePoint,
  FITTED_GEOMETRY,
  geometricLaw,
  PIER_SIDES,
  parseDomeTable,
  shortestArc,
  tableLaw,
  tabulate,
  wrap360,
} from '../../core/dome-geometry.ts'

const law = geometricLaw()
const at = (altitude: number, azimuth: number) => ({ altitude, azimuth })

describe('the geometric law', () => {
  test.each([
    [60, 180, 'west', 215.7],
    [60, 182, 'east', 146.1],
    [80, 180, 'west', 249.6],
    [80, 182, 'east', 111.0],
  ] as const)('altitude %d, azimuth %d, tube %s of the pier: the slit at %d', (altitude, azimuth, pierSide, dome) => {
    expect(law(at(altitude, azimuth), pierSide).azimuth).toBeCloseTo(dome, 1)
  })

  test('a tube at the centre needs no correction', () => {
    const centred = geometricLaw({ ...FITTED_GEOMETRY, tubeOffset: 0, north: 0, up: 0 })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 359 }), fc.integer({ min: 5, max: 85 }), fc.constantFrom(...PIER_SIDES), (azimuth, altitude, side) => {
        expect(Math.abs(shortestArc(centred(at(altitude, azimuth), side).azimuth, azimuth))).toBeLessThan(1e-6)
      }),
    )
  })

  test('says where it has not been measured', () => {
    expect([29.9, 30, 85, 85.1].map((altitude) => law(at(altitude, 90), 'west').inBounds)).toEqual([false, true, true, false])
  })
})

describe('a table', () => {
  const own = tableLaw(PIER_SIDES.flatMap((side) => tabulate(law, side)))

  test('of the law has 275 points a side and gives them back', () => {
    expect(tabulate(law, 'west')).toHaveLength(275)
    for (const side of PIER_SIDES)
      for (const point of tabulate(law, side)) expect(Math.abs(shortestArc(own(point, side).azimuth, point.dome))).toBeLessThan(1e-9)
  })

  test('stays near the law between its points, at north too', () => {
    for (const side of PIER_SIDES)
      for (let azimuth = 0; azimuth < 360; azimuth += 2.5) {
        expect(own(at(56, azimuth), side).inBounds).toBe(true)
        expect(Math.abs(shortestArc(own(at(56, azimuth), side).azimuth, law(at(56, azimuth), side).azimuth))).toBeLessThan(2.5)
      }
    const [before, after] = [own(at(30, 359.9), 'east').azimuth, own(at(30, 0), 'east').azimuth]
    expect(Math.abs(shortestArc(before, after))).toBeLessThan(0.5)
  })

  test('never blends the two sides of the pier', () => {
    const measured = parseDomeTable('altitude,azimuth,dome\n60,165,200\n60,180,214\n60,182,145\n60,195,160\n65,165,201\n65,180,215\n65,182,146\n65,195,161\n')
    const its = tableLaw(measured)
    expect(its(at(60, 180), 'west')).toEqual({ azimuth: 214, inBounds: true })
    expect(its(at(60, 182), 'east')).toEqual({ azimuth: 145, inBounds: true })
    expect(its(at(60, 181), 'west').azimuth).toBeCloseTo(214 + 14 / 15)
    expect(its(at(60, 181), 'east').azimuth).toBeCloseTo(145 - 15 / 13)
    expect(its(at(60, 90), 'east').inBounds).toBe(false)
  })

  test('with a point at 0 and none of a side has a cell from 345 to 360', () => {
    const rows = [30, 45].flatMap((altitude) => [0, 15, 30, 330, 345].map((azimuth) => `${altitude};${azimuth};${wrap360(azimuth - 20)}`))
    const its = tableLaw(parseDomeTable(['altitude;azimuth;dome', ...rows].join('\r\n')))
    expect(its(at(30, 359.9), 'east').azimuth).toBeCloseTo(339.9)
    expect(its(at(30, 352.5), 'east')).toEqual({ azimuth: 332.5, inBounds: true })
  })

  test('outside its altitudes is extended, and says so', () => {
    const points: DomePoint[] = [30, 45].flatMap((altitude) =>
      [90, 120].map((azimuth) => ({ altitude, azimuth, dome: azimuth + altitude, pierSide: 'west' as const })),
    )
    const its = tableLaw(points)
    expect(its(at(20, 90), 'west').azimuth).toBeCloseTo(110)
    expect(its(at(20, 90), 'west').inBounds).toBe(false)
    expect(its(at(30, 90), 'west').inBounds).toBe(true)
    expect(() => its(at(30, 90), 'east')).toThrow('no points for the east side')
  })

  test('is read from JSON, with its side', () => {
    const [point] = parseDomeTable('[{"altitude": 30, "azimuth": 0, "dome": 340, "pierSide": "east"}]')
    expect(point).toEqual({ altitude: 30, azimuth: 0, dome: 340, pierSide: 'east' })
  })

  test.each([
    ['altitude,azimuth,dome\n60,180,214\n60,abc,1', 'line 3: azimuth is abc'],
    ['altitude,azimuth,dome,pierSide\n60,180,214,left', 'line 2: pierSide is left'],
    ['[{"altitude": 1}]', 'point 1: azimuth is undefined'],
    ['[', 'not JSON'],
  ])('that is wrong says where: %j', (text, message) => {
    expect(() => parseDomeTable(text)).toThrow(message)
  })

  test('with a point twice, or one altitude, is refused', () => {
    const point = { altitude: 30, azimuth: 0, dome: 1, pierSide: 'west' as const }
    expect(() => tableLaw([point, point])).toThrow('a point twice')
    expect(() => tableLaw([point, { ...point, azimuth: 15 }])).toThrow('one altitude')
  })
})
