import { HardwareFault } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'

/** What a plugin gave for a parameter: a value of its kind, or none, with the reason. A number that is none is never taken for one. */
export function measuredValue(spec: Pick<ParameterSpec, 'kind' | 'choices'> | undefined, value: unknown): Measured {
  return fits(spec, value) ? { value } : { bad: `the driver gave ${shown(value)}, which is no ${spec?.kind ?? 'parameter of it'}` }
}

/** One answer for each name. Throws HardwareFault when the whole is no answer. */
export function checkedReadings(parameters: readonly ParameterSpec[], names: readonly string[], answer: unknown): ReadonlyMap<string, Measured> {
  if (!(answer instanceof Map)) throw new HardwareFault(`the driver answered ${shown(answer)} in place of a Map of readings`, 'NONE')
  return new Map(
    names.map((name) => {
      const spec = parameters.find((parameter) => parameter.name === name)
      return [name, checkedMeasured(spec, answer.get(name))]
    }),
  )
}

function checkedMeasured(spec: ParameterSpec | undefined, given: unknown): Measured {
  if (typeof given !== 'object' || given === null) return { bad: `the driver gave ${shown(given)} in place of a reading` }
  if ('bad' in given) return { bad: String(given.bad) }
  const measured = measuredValue(spec, 'value' in given ? given.value : undefined)
  return 'value' in measured && 'quality' in given && given.quality === 'UNCERTAIN' ? { ...measured, quality: 'UNCERTAIN' } : measured
}

/** What a plugin says that the instrument has confirmed. Throws HardwareFault: it was set, and nobody knows to what. */
export function checkedConfirmation(parameters: readonly ParameterSpec[], name: string, value: unknown): ParameterValue {
  const measured = measuredValue(
    parameters.find((parameter) => parameter.name === name),
    value,
  )
  if ('bad' in measured) throw new HardwareFault(`${name} was set, and what is confirmed is no value: ${measured.bad}`, 'DONE')
  return measured.value
}

function fits(spec: Pick<ParameterSpec, 'kind' | 'choices'> | undefined, value: unknown): value is ParameterValue {
  switch (spec?.kind) {
    case 'FLOAT':
      return typeof value === 'number' && Number.isFinite(value)
    case 'INTEGER':
      return Number.isSafeInteger(value)
    case 'BOOLEAN':
      return typeof value === 'boolean'
    case 'TEXT':
      return typeof value === 'string'
    case 'ENUM':
      return typeof value === 'string' && spec.choices?.includes(value) === true
    case 'LIST':
      return Array.isArray(value) && value.every((item) => typeof item === 'number' && Number.isFinite(item))
    case undefined:
      return false
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  return typeof value === 'object' || typeof value === 'function' ? `something of type ${typeof value}` : String(JSON.stringify(value)).slice(0, 60)
}
