import { readYaml, type YamlFields, type YamlValue } from '../catalog/yaml-reader.ts'
import { kindOf, rangeOf } from './coding.ts'
import { MAX_WORDS_READ } from './pdu.ts'
import {
  BAUD_RATES,
  BIT_WRITES,
  type Connection,
  type Identity,
  ORDERS,
  PARITIES,
  type Profile,
  type Register,
  TRANSPORTS,
  type Variant,
  type Writes,
} from './profile.ts'
import { readCommands, readStop, readTarget } from './read-actions.ts'
import { known, Layered, readRegister, refuseTwice } from './read-register.ts'

/** A register profile from its file. Every refusal is an InvalidValue, `<file>:<line>:<column>: …`, that says what is allowed. */

const KEYS = [
  'protocol',
  'id',
  'vendor',
  'model',
  'version',
  'documentation',
  'connection',
  'writes',
  'defaults',
  'variants',
  'identity',
  'readout',
  'registers',
  'commands',
  'stop',
  'safe',
  'afterLostStation',
]
const VARIANT = /^[a-z][A-Za-z0-9]{0,62}$/
const ID = /^[a-z0-9][a-z0-9-]{1,62}$/
const MAX_REGISTERS = 2000 // parameters of one device; more is a dump, not a profile
const MAX_KNOWN = 100 // combinations of choices kept read
const MAX_UNIT = 255
const LOST_RULES = { leave: 'LEAVE', stop: 'STOP', 'make-safe': 'MAKE_SAFE' } as const
/** Names that every device has beside its registers; link-health.ts. */
const RESERVED = /^link_/

export type ProfileFile = {
  /** The profile with these choices of its variants; the defaults where none is given. */
  profile(choices: Readonly<Record<string, string>>): Profile
}

/** Every variant is tried, so that a file that was accepted stays so. */
export function readProfile(text: string, file: string): ProfileFile {
  const fields = readYaml(text, file).allow(...KEYS)
  const variants = (fields.get('variants')?.list() ?? []).map((each) => readVariant(each.fields()))
  const taken = new Set<string>()
  for (const { spec, at } of variants) refuseTwice(taken, spec.name, at, 'variant')
  const profile = (choices: Readonly<Record<string, string>>): Profile => {
    const over = variants.map(({ spec, choiceOf }) => choiceOf(choices[spec.name] ?? spec.default))
    return readAll(
      fields,
      variants.map(({ spec }) => spec),
      over,
      meanings,
    )
  }
  const meanings = ({ name }: Register): readonly string[] => {
    const own = (fields.get('registers')?.list() ?? []).map((each) => each.fields()).find((each) => each.get('name')?.text() === name)
    const chosen = variants.flatMap(({ spec, choiceOf }) => spec.choices.map((choice) => choiceOf(choice).get(name)?.fields()))
    return [...new Set([own, ...chosen].flatMap(namesIn))]
  }
  const known = new Map<string, Profile>() // settings are looked at often, and there are few choices
  const remembered = (choices: Readonly<Record<string, string>>): Profile => {
    const key = variants.map(({ spec }) => choices[spec.name] ?? spec.default).join('\n')
    const found = known.get(key) ?? profile(choices)
    if (known.size < MAX_KNOWN) known.set(key, found)
    return found
  }
  profile({})
  for (const { spec } of variants) for (const choice of spec.choices) profile({ [spec.name]: choice })
  return { profile: remembered }
}

function namesIn(register: YamlFields | undefined): readonly string[] {
  const names = register?.get('names')?.fields().entries() ?? []
  return names.map(([, meaning]) => meaning.text())
}

function readAll(fields: YamlFields, variants: readonly Variant[], over: readonly YamlFields[], meanings: (register: Register) => readonly string[]): Profile {
  const id = fields.need('id', "the driver's name, <vendor>-<model>")
  if (!ID.test(id.text())) id.refuse('write lower-case letters, digits and -, e.g. acme-oven')
  const registers = readRegisters(fields, over)
  const identity = fields.get('identity')
  const stop = fields.get('stop')
  const documentation = fields.get('documentation')?.text()
  const rule = fields.get('afterLostStation')?.oneOf(Object.keys(LOST_RULES) as (keyof typeof LOST_RULES)[])
  const safe = (fields.get('safe')?.list() ?? []).map((each) => readTarget(each.fields(), []))
  if (rule === 'make-safe' && safe.length === 0) fields.get('afterLostStation')?.refuse('make-safe needs the list `safe` of what is written then')
  if (rule === 'stop' && stop === undefined) fields.get('afterLostStation')?.refuse('stop needs `stop`, what is written to make it stop')
  const readout = fields.get('readout')
  return {
    id: id.text(),
    vendor: fields.need('vendor', 'who makes the device').text(),
    model: fields.need('model', 'what the device is called').text(),
    version: fields.get('version')?.text() ?? '1.0.0',
    connection: readConnection(fields.get('connection')?.fields()),
    writes: readWrites(fields.get('writes')?.fields()),
    variants,
    registers,
    commands: readCommands(fields.get('commands')),
    safe,
    ...(documentation !== undefined && { documentation }),
    ...(identity !== undefined && { identity: readIdentity(identity.fields(), registers) }),
    ...(stop !== undefined && { stop: readStop(stop.fields(), registers, meanings) }),
    ...(readout !== undefined && { readout: readReadout(readout, registers) }),
    ...(rule !== undefined && { afterLostStation: LOST_RULES[rule] }),
  }
}

function readRegisters(fields: YamlFields, over: readonly YamlFields[]): readonly Register[] {
  const given = fields.get('defaults')?.fields().allow('pollMs', 'order')
  const pollMs = given?.get('pollMs')?.number({ minimum: 0, maximum: 3_600_000, whole: true })
  const defaults = { order: given?.get('order')?.oneOf(ORDERS) ?? 'ABCD', ...(pollMs !== undefined && { pollMs }) } as const
  const list = fields.need('registers', 'at least one')
  const values = list.list()
  if (values.length === 0 || values.length > MAX_REGISTERS) list.refuse(`give 1 to ${MAX_REGISTERS} registers`)
  const registers: Register[] = []
  const names = new Set<string>()
  const words = new Map<string, Register>()
  for (const value of values) {
    const own = value.fields()
    const name = own.get('name')?.text() ?? ''
    const layers = over.flatMap((choice) => choice.get(name)?.fields() ?? [])
    const register = readRegister(new Layered(own, layers), defaults)
    if (RESERVED.test(register.name)) own.get('name')?.refuse("link_… are the connection's own parameters; choose another name")
    refuseTwice(names, register.name, own.get('name') ?? value, 'register')
    refuseOverlap(words, register, own.get('at') ?? value)
    registers.push(register)
  }
  for (const choice of over) for (const [key, value] of choice.entries()) if (!names.has(key.name)) value.refuse(`no register has this name`)
  return registers
}

/** Bits of one register are told apart by their number; everything else has its words for itself. */
function refuseOverlap(words: Map<string, Register>, register: Register, at: YamlValue): void {
  for (let offset = 0; offset < register.words; offset += 1) {
    const address = register.at + offset
    const slots = register.bit === undefined ? ['', ...Array.from({ length: 16 }, (_, bit) => `.${bit}`)] : ['', `.${register.bit}`]
    for (const slot of slots) {
      const other = words.get(`${register.table} ${address}${slot}`)
      if (other !== undefined && !(slot === '' && other.bit !== undefined && register.bit !== undefined))
        at.refuse(`${register.name} overlaps ${other.name} at ${register.table} ${address}${slot === '' ? '' : ` bit ${slot.slice(1)}`}`)
    }
    words.set(`${register.table} ${address}${register.bit === undefined ? '' : `.${register.bit}`}`, register)
    if (register.bit !== undefined) words.set(`${register.table} ${address}`, register)
  }
}

function readConnection(fields: YamlFields | undefined): Connection {
  fields?.allow('over', 'unit', 'timeoutMs', 'longestRead', 'readThrough', 'baudRate', 'parity', 'stopBits', 'stopConnection')
  const over = fields
    ?.get('over')
    ?.texts()
    .map((each) => each.oneOf(TRANSPORTS)) ?? [...TRANSPORTS]
  const readThrough = fields?.get('readThrough')?.number({ minimum: 0, maximum: MAX_WORDS_READ, whole: true })
  return {
    over,
    unit: fields?.get('unit')?.number({ minimum: 0, maximum: MAX_UNIT, whole: true }) ?? 1,
    timeoutMs: fields?.get('timeoutMs')?.number({ minimum: 10, maximum: 60_000, whole: true }) ?? 1000,
    longestRead: fields?.get('longestRead')?.number({ minimum: 1, maximum: MAX_WORDS_READ, whole: true }) ?? MAX_WORDS_READ,
    baudRate: fields?.get('baudRate')?.oneOf(BAUD_RATES) ?? 9600,
    parity: fields?.get('parity')?.oneOf(PARITIES) ?? 'even', // "MODBUS over Serial Line V1.02", 2.5.1: the default
    stopBits: fields?.get('stopBits')?.oneOf([1, 2] as const) ?? 1,
    stopConnection: fields?.get('stopConnection')?.boolean() ?? true,
    ...(readThrough !== undefined && { readThrough }),
  }
}

function readWrites(fields: YamlFields | undefined): Writes {
  fields?.allow('spacingMs', 'bits', 'multiple')
  return {
    spacingMs: fields?.get('spacingMs')?.number({ minimum: 0, maximum: 60_000 }) ?? 0,
    bits: fields?.get('bits')?.oneOf(BIT_WRITES) ?? 'auto',
    multiple: fields?.get('multiple')?.boolean() ?? false,
  }
}

function readVariant(fields: YamlFields): { readonly spec: Variant; readonly at: YamlValue; readonly choiceOf: (name: string) => YamlFields } {
  fields.allow('name', 'description', 'default', 'choices')
  const name = fields.need('name', 'it becomes a setting')
  if (['address', 'unit', 'baudRate', 'parity', 'stopBits', 'bitWrites'].includes(name.text())) name.refuse('is a setting that every profile has')
  if (!VARIANT.test(name.text())) name.refuse('write letters and digits, a small letter first')
  const choices = fields.need('choices', 'each with the registers that it changes, or {}').fields().entries()
  const byName = new Map(choices.map(([key, value]) => [key.name, value.fields()]))
  const preset = fields.need('default', 'one of its choices').oneOf([...byName.keys()])
  return {
    spec: { name: name.text(), description: fields.need('description', 'a person must choose').text(), default: preset, choices: [...byName.keys()] },
    at: name,
    choiceOf: (choice) => byName.get(choice) ?? name.refuse(`${choice} is not allowed; choose one of ${[...byName.keys()].join(', ')}`),
  }
}

function readReadout(value: YamlValue, registers: readonly Register[]): string {
  const register = known(value, registers)
  const kind = kindOf(register)
  if (register.access === 'WRITE_ONLY' || (kind !== 'FLOAT' && kind !== 'INTEGER')) value.refuse(`${register.name} is no number that is read`)
  return register.name
}

function readIdentity(fields: YamlFields, registers: readonly Register[]): Identity {
  fields.allow('text', 'expect')
  const text = fields.need('text', 'what the device is called, with {register} for what it says itself')
  for (const [, name] of text.text().matchAll(/\{(\w+)\}/g))
    if (!registers.some((register) => register.name === name)) text.refuse(`no register has the name ${name}`)
  const expect = fields.need('expect', 'what must be so, else it is another device').list()
  if (expect.length === 0) fields.value.refuse('expect: give at least one register')
  return {
    text: text.text(),
    expect: expect.map((each) => {
      const own = each.fields().allow('register', 'equals')
      const register = known(own.need('register', 'which one is looked at'), registers)
      const equals = own.get('equals')
      const wanted = equals?.text()
      if (equals !== undefined && wanted !== undefined) refuseImpossible(equals, wanted, register)
      return { register: register.name, ...(wanted !== undefined && { equals: wanted }) }
    }),
  }
}

/** What the register never says would refuse every device. */
function refuseImpossible(at: YamlValue, wanted: string, register: Register): void {
  const names = [...(register.names?.values() ?? [])]
  switch (kindOf(register)) {
    case 'ENUM':
      if (!names.includes(wanted)) at.refuse(`choose one of ${names.join(', ')}`)
      return
    case 'BOOLEAN':
      at.oneOf([true, false].map(String))
      return
    case 'FLOAT':
    case 'INTEGER': {
      const range = rangeOf(register)
      const number = Number(wanted)
      if (String(number) !== wanted) at.refuse(`give the number that ${register.name} is, as it is shown`)
      if (range !== undefined && (number < range.minimum || number > range.maximum)) at.refuse(`the register holds ${range.minimum} to ${range.maximum}`)
      return
    }
    default:
      if (register.coding === 'text' && wanted.length > 2 * register.words) at.refuse(`${register.name} has at most ${2 * register.words} characters`)
  }
}
