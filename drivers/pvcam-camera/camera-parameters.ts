import { InvalidValue, Problem } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { PvcamCamera, PvcamDescription, PvcamValue } from '../../native/pvcam-types.ts'
import { KNOWN_PARAMETERS, type KnownParameter } from './known-parameters.ts'

type Offered = { readonly known: KnownParameter; readonly described: PvcamDescription; readonly spec: ParameterSpec }

/** The camera's own parameters: of those that the driver knows exactly the ones that this camera has, as it describes them now. */
export class CameraParameters {
  readonly #camera: PvcamCamera
  #offered: ReadonlyMap<string, Offered> = new Map()

  constructor(camera: PvcamCamera) {
    this.#camera = camera
  }

  /** Ranges and choices may have changed with what was set. */
  async describe(): Promise<void> {
    const described = await this.#camera.describe(KNOWN_PARAMETERS.map(({ id }) => id))
    const offered = KNOWN_PARAMETERS.map((known, at) => offer(known, described[at])).filter((each) => each !== undefined)
    this.#offered = new Map(offered.map((each) => [each.known.name, each]))
  }

  get specs(): readonly ParameterSpec[] {
    return [...this.#offered.values()].map(({ spec }) => spec)
  }

  has(name: string): boolean {
    return this.#offered.has(name)
  }

  /** How its value may change without being set. */
  changes(name: string): KnownParameter['changes'] {
    return this.#offered.get(name)?.known.changes
  }

  /** One for each name, which must be had. */
  async read(names: readonly string[]): Promise<ReadonlyMap<string, Measured | Problem>> {
    const asked = names.map((name) => this.#get(name))
    const values = asked.length === 0 ? [] : await this.#camera.get(asked.map(({ known }) => known.id))
    return new Map(asked.map((each, at) => [each.known.name, measuredOf(each, values[at])]))
  }

  /** Returns what the camera says afterwards. */
  async write(name: string, value: ParameterValue): Promise<ParameterValue> {
    const offered = this.#get(name)
    await this.#camera.set(offered.known.id, countsOf(offered, value))
    const [told] = await this.#camera.get([offered.known.id])
    const measured = measuredOf(offered, told)
    if (measured instanceof Problem) throw measured
    if ('bad' in measured) throw new InvalidValue(`${name}: ${measured.bad}`, [name])
    return measured.value
  }

  #get(name: string): Offered {
    const offered = this.#offered.get(name)
    if (offered === undefined) throw new InvalidValue(`${name} is not a parameter of this camera`, [name])
    return offered
  }
}

function offer(known: KnownParameter, described: PvcamDescription | undefined): Offered | undefined {
  if (described === undefined || described.type === 'OTHER' || described.access === 'EXISTS' || described.access === 'WRITE_ONLY') return undefined
  const { name, description, unit, pollMs, deadband } = known
  const access = described.access === 'READ_WRITE' && known.readOnly !== true ? 'READ_WRITE' : 'READ_ONLY'
  const kind = kindOf(known, described)
  const choices = kind === 'ENUM' ? choicesOf(known, described).map((choice) => choice.name) : []
  if (kind === 'ENUM' && choices.length === 0) return undefined
  const number = kind === 'FLOAT' || kind === 'INTEGER'
  const spec: ParameterSpec = {
    name,
    description,
    kind,
    access,
    ...(number && unit !== undefined && { unit }),
    ...(number && access === 'READ_WRITE' && rangeOf(known, described)),
    ...(kind === 'ENUM' && { choices }),
    ...(pollMs !== undefined && { pollMs }),
    ...(deadband !== undefined && { deadband }),
  }
  return { known, described, spec }
}

function kindOf({ scale = 1 }: KnownParameter, { type }: PvcamDescription): ParameterSpec['kind'] {
  if (type === 'BOOLEAN' || type === 'ENUM' || type === 'TEXT') return type
  return type === 'FLOAT32' || type === 'FLOAT64' || !Number.isInteger(scale) ? 'FLOAT' : 'INTEGER'
}

/** No limits where they are beyond exact numbers, or leave nothing to choose: then the camera itself refuses. */
function rangeOf(known: KnownParameter, { minimum, maximum, increment }: PvcamDescription): Partial<ParameterSpec> {
  if (typeof minimum !== 'number' || typeof maximum !== 'number' || minimum >= maximum) return {}
  const step = typeof increment === 'number' && increment > 0 ? inUnit(known, increment) : undefined
  return {
    ...(Number.isSafeInteger(Math.trunc(minimum)) && { minimum: inUnit(known, minimum) }),
    ...(Number.isSafeInteger(Math.trunc(maximum)) && { maximum: inUnit(known, maximum) }),
    ...(step !== undefined && { step }),
  }
}

/** Division, where the scale is a decimal fraction, because that rounds once: 1976 hundredths are 19.76. */
function inUnit({ scale = 1 }: KnownParameter, counts: number): number {
  return scale < 1 ? counts / Math.round(1 / scale) : counts * scale
}

function choicesOf({ without = [] }: KnownParameter, { choices }: PvcamDescription): readonly { readonly value: number; readonly name: string }[] {
  return named(choices.filter(({ value }) => !without.includes(value)))
}

/** Names that can be told apart, and none that is empty. */
export function named<Choice extends { readonly value: number; readonly name: string }>(choices: readonly Choice[]): readonly Choice[] {
  const taken = new Set<string>()
  return choices.map((choice) => {
    const wanted = choice.name.trim() || String(choice.value)
    const name = taken.has(wanted) ? `${wanted} (${choice.value})` : wanted
    taken.add(name)
    return { ...choice, name }
  })
}

const COLDEST_CELSIUS = -100 // no cooled camera of theirs reaches it, and no sensor works at the other: what is beyond was garbled on its way
const WARMEST_CELSIUS = 100

function measuredOf({ known, described, spec }: Offered, told: PvcamValue | Problem | undefined): Measured | Problem {
  if (told instanceof Problem) return told
  if (told === undefined) return { bad: 'the camera did not answer for it' }
  if (spec.kind === 'ENUM') {
    const choice = choicesOf(known, described).find(({ value }) => value === told)
    return choice === undefined ? { bad: `${told} is none of its choices` } : { value: choice.name }
  }
  if (typeof told !== 'number') return { value: told }
  const value = inUnit(known, told)
  if (spec.unit === 'Cel' && !(value > COLDEST_CELSIUS && value < WARMEST_CELSIUS)) return { bad: `${value} °C is no temperature of a sensor` }
  return { value }
}

function countsOf({ known, described, spec }: Offered, value: ParameterValue): PvcamValue {
  if (spec.kind === 'ENUM') {
    const choice = choicesOf(known, described).find(({ name }) => name === value)
    if (choice !== undefined) return choice.value
  } else if (typeof value === 'boolean') return value
  else if (typeof value === 'number') return spec.kind === 'FLOAT' && known.scale === undefined ? value : Math.round(value / (known.scale ?? 1))
  throw new InvalidValue(`${known.name} cannot be set to ${String(value)}`, [known.name])
}
