import { expect } from 'vitest'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../../core/reading.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import { never } from '../bench.ts'
import { within } from './within.ts'

const NEAR = 0.1 // of a value: what noise and a second's drift may change; a wrong reply is off by more
const WANTED_VALUES = 4 // of a parameter that may be set: enough to see a choice that is mixed up with its neighbour

export async function readAll(
  device: DeviceHandle,
  names = device.parameters.filter(isReadable).map(({ name }) => name),
): Promise<ReadonlyMap<string, Measured>> {
  return await within(`reading ${names.join(', ')}`, device.read(names, never))
}

export async function read(device: DeviceHandle, name: string): Promise<Measured> {
  return (await readAll(device, [name])).get(name) ?? expect.fail(`${name} was read and is not in the answer`)
}

export function isReadable({ access }: ParameterSpec): boolean {
  return access !== 'WRITE_ONLY'
}

export function known(measured: Measured): ParameterValue | undefined {
  return 'bad' in measured ? undefined : measured.value
}

/** A value of the parameter's kind, or bad with a reason. */
export function expectHonest(spec: ParameterSpec, measured: Measured | undefined): void {
  if (measured === undefined) expect.fail(`${spec.name} is not in the answer`)
  if ('bad' in measured) expect(measured.bad, `the reason why ${spec.name} is bad`).toMatch(/\S{2}/)
  else if (!isOfKind(spec, measured.value)) expect.fail(`${spec.name} is ${JSON.stringify(measured.value)}, which is no ${spec.kind}`)
}

function isOfKind({ kind, choices }: ParameterSpec, value: ParameterValue): boolean {
  switch (kind) {
    case 'FLOAT':
      return typeof value === 'number' && Number.isFinite(value)
    case 'INTEGER':
      return Number.isSafeInteger(value)
    case 'BOOLEAN':
      return typeof value === 'boolean'
    case 'TEXT':
      return typeof value === 'string'
    case 'ENUM':
      return typeof value === 'string' && choices?.includes(value) === true
    case 'LIST':
      return Array.isArray(value) && value.every((item) => Number.isFinite(item))
  }
}

const TIMES_LOOKED = 3 // before a fault: what comes and goes between them is noise
const NOISE = 4 // times that range; the next one of a hundred is not farther

/** What the parameter says while nothing goes wrong. */
export async function usual(device: DeviceHandle, name: string): Promise<readonly Measured[]> {
  const readings: Measured[] = []
  for (let time = 0; time < TIMES_LOOKED; time += 1) readings.push(await read(device, name))
  return readings
}

/** Bad, or what it was before or after, or between them and in its noise: anything else is somebody else's value. */
export function expectTrue(spec: ParameterSpec, measured: Measured, usually: readonly Measured[]): void {
  expectHonest(spec, measured)
  const value = known(measured)
  if (value === undefined) return
  const others = usually.map(known).filter((each) => each !== undefined)
  if (others.length === 0) return // bad before and after: a fault cannot make it more so
  const numbers = others.filter((each) => typeof each === 'number')
  const taken = `${spec.name} was taken to be ${JSON.stringify(value)} and was ${others.map((each) => JSON.stringify(each)).join(', then ')}`
  if (typeof value === 'number' && numbers.length > 0) {
    const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
    const slack = Math.max(
      NEAR * Math.max(...numbers.map(Math.abs)),
      NOISE * (most - least),
      10 * (spec.deadband ?? 0),
      spec.kind === 'INTEGER' ? 1 : 0,
      Number.EPSILON,
    )
    expect(value >= least - slack && value <= most + slack, taken).toBe(true)
  } else
    expect(
      others.map((each) => JSON.stringify(each)),
      taken,
    ).toContain(JSON.stringify(value))
}

/** Values that the specification allows, none of them the present one where there is a choice. */
export function goodValues(spec: ParameterSpec, present: ParameterValue | undefined): readonly ParameterValue[] {
  switch (spec.kind) {
    case 'BOOLEAN':
      return present === true ? [false, true] : [true, false]
    case 'ENUM': {
      const choices = spec.choices ?? []
      return [...choices.filter((choice) => choice !== present), ...choices.filter((choice) => choice === present)].slice(0, WANTED_VALUES)
    }
    case 'TEXT':
    case 'LIST':
      return present === undefined ? [] : [present]
    case 'INTEGER':
    case 'FLOAT':
      return numbersWithin(spec, typeof present === 'number' ? present : undefined)
  }
}

const WIDE = 1000 // a range of more than so many times its smaller end is the format's, not the instrument's: a little more than now is safer

/** The ends and something between, or a little more than it is. */
function numbersWithin({ kind, minimum, maximum, step }: ParameterSpec, present: number | undefined): readonly number[] {
  const onGrid = (value: number): number => {
    const grid = step ?? (kind === 'INTEGER' ? 1 : undefined)
    const from = minimum ?? 0
    const snapped = grid === undefined ? value : from + Math.round((value - from) / grid) * grid
    return Math.min(maximum ?? Number.POSITIVE_INFINITY, Math.max(minimum ?? Number.NEGATIVE_INFINITY, Number(snapped.toPrecision(9))))
  }
  const wide = minimum === undefined || maximum === undefined || Math.abs(maximum) > WIDE * Math.max(Math.abs(minimum), Math.abs(present ?? 0), 1)
  if (!wide) return [onGrid(minimum + (maximum - minimum) / 3), minimum, maximum].filter((value) => value !== present)
  const from = present ?? minimum ?? maximum ?? 0
  const [more, less] = from === 0 ? [1, -1] : [from * 1.25, from * 0.8]
  return [onGrid(less), onGrid(more)].filter((value) => value !== present)
}

export type BadValue = { readonly value: ParameterValue; readonly unit?: string; readonly why: string }

const OTHER_UNITS = ['m', 'K', 'W'] // one of them is of another dimension, whatever the parameter's is

/** What must never reach the wire. */
export function badValues(spec: ParameterSpec): readonly BadValue[] {
  const wrongKind: readonly BadValue[] = [
    { value: spec.kind === 'BOOLEAN' || spec.kind === 'TEXT' || spec.kind === 'ENUM' ? 1 : 'one', why: 'of another kind' },
    { value: spec.kind === 'LIST' ? 1 : [1, 2], why: 'of another kind' },
    { value: spec.kind === 'BOOLEAN' ? 'true' : true, why: 'of another kind' },
  ]
  if (spec.kind === 'ENUM') return [...wrongKind, { value: 'none of these', why: 'no choice' }, { value: '', why: 'no choice' }]
  if (spec.kind !== 'FLOAT' && spec.kind !== 'INTEGER') return wrongKind
  const beyond = (limit: number, sign: 1 | -1): number => limit + sign * Math.max(1, Math.abs(limit) * 0.01)
  return [
    ...wrongKind,
    { value: Number.NaN, why: 'no number' },
    { value: Number.POSITIVE_INFINITY, why: 'no number' },
    ...(spec.minimum === undefined ? [] : [{ value: beyond(spec.minimum, -1), why: 'too small' }]),
    ...(spec.maximum === undefined ? [] : [{ value: beyond(spec.maximum, 1), why: 'too large' }]),
    ...(spec.kind === 'INTEGER' ? [{ value: (spec.minimum ?? 0) + 0.5, why: 'between two whole numbers' }] : []),
    { value: spec.minimum ?? spec.maximum ?? 1, unit: otherUnit(spec.unit), why: 'in a unit of something else' },
  ]
}

function otherUnit(unit: string | undefined): string {
  return OTHER_UNITS.find((other) => unit === undefined || !unit.toLowerCase().includes(other.toLowerCase())) ?? 'C'
}
