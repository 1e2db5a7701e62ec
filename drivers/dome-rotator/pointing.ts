import { readFile } from 'node:fs/promises'
import { type DomeLaw, type DomePointing, geometricLaw, PIER_SIDES, parseDomeTable, tableLaw, tabulate } from '../../core/dome-geometry.ts'
import { InvalidValue, messageOf } from '../../core/errors.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { RotatorSettings } from './settings.ts'

const GENERATED = 'generated'

/** The table of the settings, or the geometry. Throws InvalidValue when the table cannot be read. */
export async function lawOf({ domeTable, geometry }: Pick<RotatorSettings, 'domeTable' | 'geometry'>): Promise<DomeLaw> {
  const exact = geometricLaw(geometry)
  if (domeTable === undefined) return exact
  if (domeTable === GENERATED) return tableLaw(PIER_SIDES.flatMap((side) => tabulate(exact, side)))
  let text: string
  try {
    text = await readFile(domeTable, 'utf8')
  } catch (error) {
    throw new InvalidValue(`domeTable: ${domeTable} cannot be read: ${messageOf(error)}`, ['domeTable'])
  }
  return tableLaw(parseDomeTable(text))
}

/** Where the slit must be for the arguments of the command point. Throws InvalidValue. */
export function pointingOf(law: DomeLaw, given: Readonly<Record<string, ParameterValue>>, outOfBounds: 'refuse' | 'extend'): DomePointing {
  const { altitude, azimuth, pier_side: side } = given
  const pierSide = PIER_SIDES.find((candidate) => candidate === side)
  if (typeof altitude !== 'number' || typeof azimuth !== 'number' || pierSide === undefined)
    throw new InvalidValue('point needs altitude, azimuth and pier_side', ['altitude'])
  const pointing = law({ altitude, azimuth }, pierSide)
  if (!pointing.inBounds && outOfBounds === 'refuse')
    throw new InvalidValue(
      `altitude ${altitude}, azimuth ${azimuth}, tube ${pierSide} of the pier is outside what the dome's law was made for; outOfBounds: extend lets it pass`,
      ['altitude'],
    )
  return pointing
}
