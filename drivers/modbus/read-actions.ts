import type { YamlFields, YamlValue } from '../catalog/yaml-reader.ts'
import { MAX_ADDRESS } from './pdu.ts'
import type { ProfileCommand, ProfileStop, Register, Target } from './profile.ts'
import { known, nameOf, refuseTwice } from './read-register.ts'

/** What a profile's device can be told beside its registers: commands, the stop, and what makes it safe. */

const LONGEST_HOLD_MS = 10_000 // a button that is pressed longer is a parameter
const STAND_WITHIN_MS = 5000

export function readCommands(given: YamlValue | undefined): readonly ProfileCommand[] {
  const names = new Set<string>()
  return (given?.list() ?? []).map((each) => {
    const fields = each.fields()
    const name = fields.need('name', 'what it is called')
    refuseTwice(names, nameOf(name), name, 'command')
    const target = readTarget(fields, ['name', 'description', 'holdMs'])
    const hold = fields.get('holdMs')
    const holdMs = hold?.number({ minimum: 0, maximum: LONGEST_HOLD_MS, whole: true })
    if ('value' in target) hold?.refuse('goes only with a bit or a coil: what is pressed is let go')
    return {
      name: name.text(),
      description: fields.need('description', 'a person must know what it does').text(),
      target,
      ...(holdMs !== undefined && { holdMs }),
    }
  })
}

/** `meanings`: what a register may say, whichever variants are chosen. */
export function readStop(fields: YamlFields, registers: readonly Register[], meanings: (register: Register) => readonly string[]): ProfileStop {
  const target = readTarget(fields, ['standing', 'letGo'])
  const letGo = fields.get('letGo')?.boolean() ?? false
  if ('bit' in target) return fields.need('bit', '').refuse('give the value of the whole word: a stop does not wait for a reading')
  const standing = fields.get('standing')?.fields().allow('register', 'values', 'withinMs')
  if (standing === undefined) return { target, letGo }
  const register = known(standing.need('register', 'which one tells'), registers)
  const values = standing
    .need('values', 'in which the device stands')
    .list()
    .map((value) => {
      const text = value.text()
      const said = meanings(register)
      return register.coding === 'enum' && !said.includes(text) ? value.refuse(`choose one of ${said.join(', ')}`) : text
    })
  const withinMs = standing.get('withinMs')?.number({ minimum: 1, maximum: 600_000 }) ?? STAND_WITHIN_MS
  return { target, letGo, standing: { register: register.name, values, withinMs } }
}

export function readTarget(fields: YamlFields, beside: readonly string[]): Target {
  fields.allow(...beside, 'at', 'function', 'bit', 'value')
  const at = fields.need('at', 'the address on the wire, counted from 0').number({ minimum: 0, maximum: MAX_ADDRESS, whole: true })
  const table = fields.get('function')?.oneOf(['holding', 'coil'] as const) ?? 'holding'
  const bit = fields.get('bit')
  const value = fields.get('value')
  if (table === 'coil' || bit !== undefined) {
    const on = value === undefined || value.oneOf([0, 1]) === 1
    if (table === 'holding' && bit !== undefined) return { table, at, bit: bit.number({ minimum: 0, maximum: 15, whole: true }), on }
    bit?.refuse('a coil is one bit')
    return { table: 'coil', at, on }
  }
  return { table, at, value: fields.need('value', 'what is written, or give a bit').number({ minimum: 0, maximum: 0xffff, whole: true }) }
}
