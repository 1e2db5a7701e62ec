import type { SettingSpec } from '../../core/parameter.ts'
import type { YamlFields, YamlValue } from '../catalog/yaml-reader.ts'
import type { CommandDescription, ValueFormat } from './description.ts'
import { readValueFormat, unitOf } from './read-parameter.ts'
import { type Allowed, readTemplate } from './read-template.ts'

const NAME = /^[a-z][A-Za-z0-9_]{0,63}$/
const ARGUMENT_KEYS = ['description', 'unit', 'minimum', 'maximum', 'default', 'kind', 'scale', 'format', 'quoted', 'choices', 'words'] as const
const MAX_TIMEOUT_MS = 3_600_000 // a self-test or a calibration takes minutes

/** Commands of the instrument's own. */
export function readCommands(fields: YamlFields, wide: Allowed): readonly CommandDescription[] {
  return fields.entries().map(([{ name }, value]) => {
    if (!NAME.test(name)) value.refuse(`${name} is not a name for a command; write letters, digits and _`)
    return readCommand(name, value.fields(), wide)
  })
}

function readCommand(name: string, fields: YamlFields, wide: Allowed): CommandDescription {
  fields.allow('description', 'send', 'arguments', 'result', 'timeoutMs')
  const given = fields.get('arguments')?.fields().entries() ?? []
  const known = given.map(([argument, value]) => readArgument(argument.name, value, wide))
  const formats = new Map(known.map(({ format }) => [format.name, format]))
  const allowed: Allowed = { ...wide, ...Object.fromEntries(known.map(({ format }) => [format.name, 'an argument'])) }
  const result = fields.get('result')
  const wire = fields.need('send', 'what stands on the wire')
  if (result === undefined && wire.text().includes('?')) wire.refuse('is a question: describe its result')
  const send = readTemplate(wire, allowed, result === undefined ? 'command' : 'query')
  const unused = known.find(({ format }) => !send.includes(`{${format.name}}`))
  if (unused !== undefined) unused.value.refuse(`{${unused.format.name}} is not in send`)
  const format = result === undefined ? undefined : readValueFormat('result', result.fields().allow('kind', 'scale', 'reply', 'choices', 'words'))
  const timeoutMs = fields.get('timeoutMs')?.number({ minimum: 1, maximum: MAX_TIMEOUT_MS })
  return {
    spec: {
      name,
      description: fields.need('description', 'what it does, for people').text(),
      arguments: known.map(({ spec }) => spec),
      ...(format !== undefined && { result: format.kind }),
    },
    send,
    arguments: formats,
    ...(format !== undefined && { result: format }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  }
}

function readArgument(name: string, value: YamlValue, wide: Allowed): { readonly spec: SettingSpec; readonly format: ValueFormat; readonly value: YamlValue } {
  if (!NAME.test(name) || Object.hasOwn(wide, name)) value.refuse(`${name} is not a name for an argument here`)
  const fields = value.fields().allow(...ARGUMENT_KEYS)
  const format = readValueFormat(name, fields)
  const spec: SettingSpec = {
    name,
    kind: format.kind,
    description: fields.need('description', 'what it is, for people').text(),
    required: !fields.has('default'),
    ...(fields.has('unit') && { unit: unitOf(fields.need('unit', '')) }),
    ...(fields.has('default') && { default: fields.need('default', '').text() }),
    ...(fields.has('minimum') && { minimum: fields.need('minimum', '').number() }),
    ...(fields.has('maximum') && { maximum: fields.need('maximum', '').number() }),
    ...(format.choices !== undefined && { choices: [...format.choices.keys()] }),
  }
  return { spec, format, value }
}
