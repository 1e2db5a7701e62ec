import type { Reading } from '../../core/reading.ts'
import { convert } from '../../core/unit.ts'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { type ParameterSource, ReadingRef, type ReadingSource } from '../refs.ts'
import { QualityEnum } from './enums.ts'

ReadingRef.implement({
  description: 'One value at one time. Exactly one of the value fields is set when quality is GOOD.',
  fields: (t) => ({
    time: t.field({ type: 'Time', resolve: ({ time }) => time }),
    quality: t.field({ type: QualityEnum, resolve: ({ quality }) => quality }),
    unit: t.string({ nullable: true, resolve: ({ unit }) => unit ?? null }),
    number: t.float({ nullable: true, resolve: ({ value }) => (typeof value === 'number' && Number.isFinite(value) ? value : null) }),
    text: t.string({ nullable: true, resolve: ({ value }) => (typeof value === 'string' ? value : null) }),
    boolean: t.boolean({ nullable: true, resolve: ({ value }) => (typeof value === 'boolean' ? value : null) }),
    list: t.floatList({ nullable: true, resolve: ({ value }) => (typeof value === 'object' ? value : null) }),
    reason: t.string({ nullable: true, description: 'Why there is no value, or why it is doubtful.', resolve: ({ reason }) => reason ?? null }),
  }),
})

/** In the unit asked for; as measured where none is. Throws IncompatibleUnit. */
export function inUnit(reading: Reading, unit: string | undefined, asked: string | null | undefined): ReadingSource {
  if (asked == null || asked === unit) return { ...reading, unit }
  const { value } = reading
  const change = (number: number): number => convert(number, unit ?? '1', asked)
  if (typeof value === 'number') return { ...reading, unit: asked, value: change(value) }
  if (typeof value === 'object') return { ...reading, unit: asked, value: value.map(change) }
  change(0) // a text has no unit; a unit of another kind is refused even while there is no value
  return { ...reading, unit: asked }
}

/** The newest reading of a parameter, from the mirror of its station: no request reaches an instrument. */
export function currentReading(
  { device, spec }: ParameterSource,
  kind: 'reading' | 'setpoint',
  unit: string | null | undefined,
  { stations }: Context,
): ReadingSource | null {
  const reading = stations.find(device.stationId)?.reading(device.id, spec.name, kind)
  return reading === undefined ? null : inUnit(reading, spec.unit, unit)
}

/** "Nothing is known" where the parameter is not there at all. */
export function readingOf(parameter: ParameterSource | undefined, unit: string | null | undefined, context: Context): ReadingSource | null {
  return parameter === undefined ? null : currentReading(parameter, 'reading', unit, context)
}

export const unitArg = builder.args((t) => ({ unit: t.string() }))
