import { readYaml, type YamlFields, type YamlValue } from '../catalog/yaml-reader.ts'
import type { Channels, Connections, Delays, Description, ErrorSource, MotionDescription, SerialDefaults, Synchronise } from './description.ts'
import { CONNECTIONS } from './description.ts'
import { readCommands } from './read-command.ts'
import { readParameters } from './read-parameter.ts'
import { type Allowed, readCondition, readTemplate, readTemplates } from './read-template.ts'

export const PROTOCOL = 'scpi'

const KEYS = [
  'protocol',
  'id',
  'vendor',
  'model',
  'version',
  'documentation',
  'identity',
  'connections',
  'terminator',
  'timeoutMs',
  'delays',
  'open',
  'errors',
  'synchronise',
  'channels',
  'parameters',
  'commands',
  'readout',
  'shutter',
  'emission',
  'wavelength',
  'motion',
  'underWay',
  'stop',
  'safe',
  'afterLostStation',
] as const

const ID = /^[a-z0-9]+(-[a-z0-9]+)+$/
const MAX_TIMEOUT_MS = 600_000 // the longest measurement of a slow instrument; more is a slip
const MAX_DELAY_MS = 60_000
const DEFAULT_TIMEOUT_MS = 2000
const SYNCHRONISE_EVERY_MS = 50
const MAX_ERRORS_READ = 32 // deeper than the error queues of the instruments described here (20 and 30)

/** Throws InvalidValue that starts with `<file>:<line>:<column>: `. */
export function readDescription(text: string, file: string): Description {
  const root = readYaml(text, file).allow(...KEYS)
  root.need('protocol', `write protocol: ${PROTOCOL}`).oneOf([PROTOCOL])
  const channels = root.has('channels') ? readChannels(root.need('channels', '')) : undefined
  const wide: Allowed = channels === undefined ? {} : { [channels.setting]: 'the channel' }
  const errors = root.has('errors') ? readErrors(root.need('errors', '')) : undefined
  const timeoutMs = root.get('timeoutMs')?.number({ minimum: 1, maximum: MAX_TIMEOUT_MS }) ?? DEFAULT_TIMEOUT_MS
  const synchronise = root.has('synchronise') ? readSynchronise(root.need('synchronise', ''), timeoutMs) : undefined
  const parameters = readParameters(root.need('parameters', 'a device without a parameter has nothing to say').fields(), wide, errors !== undefined)
  const parameterAt = (value: YamlValue, ...kinds: readonly string[]): string => {
    const allowed = parameters.filter((parameter) => kinds.length === 0 || kinds.includes(parameter.kind))
    return value.oneOf(allowed.map(({ name }) => name))
  }
  const settable = (value: YamlValue, ...kinds: readonly string[]): string => {
    const name = parameterAt(value, ...kinds)
    return parameters.find((parameter) => parameter.name === name)?.set === undefined ? value.refuse(`${name} cannot be set: it has no set`) : name
  }
  const stop = root.get('stop')
  const safe = root.get('safe')
  const rule = root.get('afterLostStation')?.oneOf(['leave', 'stop', 'make-safe'])
  if (rule === 'make-safe' && safe === undefined) root.get('afterLostStation')?.refuse('make-safe needs safe: the commands that make it so')
  if (rule === 'stop' && stop === undefined && !root.has('motion')) root.get('afterLostStation')?.refuse('stop needs stop: the commands that stop it')
  const motion = root.has('motion') ? readMotion(root.need('motion', '').fields(), wide, parameterAt) : undefined

  return {
    id: idOf(root.need('id', 'the name of the driver, <vendor>-<model>')),
    vendor: root.need('vendor', 'who makes it').text(),
    model: root.need('model', 'what it is called').text(),
    version: root.get('version')?.text() ?? '1.0.0',
    ...optional('documentation', root.get('documentation')?.text()),
    identity: readIdentity(root.need('identity', 'what it answers to *IDN?; a wrong instrument is refused by it')),
    connections: readConnections(root.need('connections', `how it is connected: ${CONNECTIONS.join(', ')}`).fields()),
    terminator: readTerminator(root.get('terminator')),
    timeoutMs,
    delays: readDelays(root.get('delays')?.fields()),
    open: root.has('open') ? readTemplates(root.need('open', ''), wide) : [],
    ...optional('errors', errors),
    ...optional('synchronise', synchronise),
    ...optional('channels', channels),
    parameters,
    commands: root.has('commands') ? readCommands(root.need('commands', '').fields(), wide) : [],
    ...optional('readout', root.has('readout') ? parameterAt(root.need('readout', ''), 'FLOAT', 'INTEGER', 'LIST') : undefined),
    ...optional('shutter', root.has('shutter') ? settable(root.need('shutter', ''), 'BOOLEAN') : undefined),
    ...optional('emission', root.has('emission') ? settable(root.need('emission', ''), 'BOOLEAN') : undefined),
    ...optional('wavelength', root.has('wavelength') ? readWavelength(root.need('wavelength', '').fields(), parameterAt, settable) : undefined),
    ...optional('motion', motion),
    ...optional('underWay', root.has('underWay') ? readCondition(root.need('underWay', ''), wide) : undefined),
    ...optional('stop', stop === undefined ? undefined : readStop(stop, wide)),
    ...optional('safe', safe === undefined ? undefined : readTemplates(safe, wide)),
    afterLostStation: rule === 'make-safe' ? 'MAKE_SAFE' : rule === 'stop' ? 'STOP' : 'LEAVE',
  }
}

function idOf(value: YamlValue): string {
  const id = value.text()
  return ID.test(id) ? id : value.refuse(`${JSON.stringify(id)} is not an id; write lower-case words and digits with dashes between them, <vendor>-<model>`)
}

function readIdentity(value: YamlValue): Description['identity'] {
  if (value.isText()) return { query: '*IDN?', pattern: value.pattern() }
  const fields = value.fields().allow('query', 'pattern')
  return {
    query: fields.has('query') ? readTemplate(fields.need('query', ''), {}, 'query') : '*IDN?',
    pattern: fields.need('pattern', 'a regular expression that the answer must match').pattern(),
  }
}

function readConnections(fields: YamlFields): Connections {
  fields.allow(...CONNECTIONS)
  if (fields.entries().length === 0) fields.value.refuse(`name at least one of ${CONNECTIONS.join(', ')}`)
  const port = (value: YamlValue | undefined, usual: number): number =>
    value?.fields().allow('port').get('port')?.number({ minimum: 1, maximum: 65_535, whole: true }) ?? usual
  const usbtmc = fields.get('usbtmc')
  return {
    ...optional('tcp', fields.has('tcp') ? { port: port(fields.get('tcp'), 5025) } : undefined), // 5025: scpi-raw, registered with IANA
    ...optional('serial', fields.has('serial') ? readSerial(fields.need('serial', '').fields()) : undefined),
    ...optional('usbtmc', usbtmc && { statusByte: usbtmc.fields().allow('statusByte').get('statusByte')?.boolean() ?? true }),
    ...optional('hislip', fields.has('hislip') ? { port: port(fields.get('hislip'), 4880) } : undefined),
  }
}

function readSerial(fields: YamlFields): SerialDefaults {
  fields.allow('baudRate', 'dataBits', 'parity', 'stopBits', 'flowControl')
  return {
    baudRate: fields.need('baudRate', 'bits per second, e.g. 9600').number({ minimum: 50, maximum: 4_000_000, whole: true }),
    dataBits: fields.get('dataBits')?.oneOf([7, 8]) ?? 8,
    parity: fields.get('parity')?.oneOf(['none', 'even', 'odd']) ?? 'none',
    stopBits: fields.get('stopBits')?.oneOf([1, 2]) ?? 1,
    flowControl: fields.get('flowControl')?.oneOf(['none', 'hardware', 'software']) ?? 'none',
  }
}

/** LF ends a message (IEEE 488.2, 7.5); on a serial line instruments differ. */
function readTerminator(value: YamlValue | undefined): Description['terminator'] {
  const ends = { LF: '\n', CR: '\r', CRLF: '\r\n' } as const
  const end = (given: YamlValue | undefined): string => ends[given?.oneOf(['LF', 'CR', 'CRLF']) ?? 'LF']
  if (value === undefined || value.isText()) return { send: end(value), reply: end(value) }
  const fields = value.fields().allow('send', 'reply')
  return { send: end(fields.get('send')), reply: end(fields.get('reply')) }
}

function readDelays(fields: YamlFields | undefined): Delays {
  fields?.allow('messageMs', 'setMs', 'queryMs')
  const delay = (key: string): number => fields?.get(key)?.number({ minimum: 0, maximum: MAX_DELAY_MS }) ?? 0
  return { messageMs: delay('messageMs'), setMs: delay('setMs'), queryMs: delay('queryMs') }
}

function readErrors(value: YamlValue): ErrorSource {
  const fields = value.fields().allow('queue', 'none', 'maximumReads', 'register', 'bits')
  if (fields.has('register')) {
    const bits = fields.need('bits', 'which bits of the register are errors, e.g. 32: command error').fields()
    const known = bits.entries().map(([{ name }, meaning]) => {
      const bit = Number(name)
      if (!Number.isInteger(Math.log2(bit))) return meaning.refuse(`${name} is not the value of a bit; write 1, 2, 4, 8, …`)
      return [bit, meaning.text('what the bit means')] as const
    })
    return { kind: 'register', query: readTemplate(fields.need('register', ''), {}, 'query'), bits: new Map(known) }
  }
  return {
    kind: 'queue',
    query: readTemplate(fields.need('queue', 'the question for the next error, e.g. SYST:ERR?; or register, e.g. *ESR?'), {}, 'query'),
    none: fields.get('none')?.pattern() ?? /^[+-]?0+\b/,
    maximumReads: fields.get('maximumReads')?.number({ minimum: 1, maximum: 1000, whole: true }) ?? MAX_ERRORS_READ,
  }
}

function readSynchronise(value: YamlValue, timeoutMs: number): Synchronise {
  if (value.isText() && value.oneOf(['*OPC?'])) return { query: '*OPC?', until: /^\+?1$/, everyMs: SYNCHRONISE_EVERY_MS, withinMs: timeoutMs }
  const fields = value.fields().allow('query', 'until', 'everyMs', 'withinMs')
  return {
    query: readTemplate(fields.need('query', 'what is asked until the set is done, e.g. *OPC? or *STB?'), {}, 'query'),
    until: fields.need('until', 'a regular expression that the answer matches once it is done').pattern(),
    everyMs: fields.get('everyMs')?.number({ minimum: 1, maximum: MAX_DELAY_MS }) ?? SYNCHRONISE_EVERY_MS,
    withinMs: fields.get('withinMs')?.number({ minimum: 1, maximum: MAX_TIMEOUT_MS }) ?? timeoutMs,
  }
}

function readChannels(value: YamlValue): Channels {
  const fields = value.fields().allow('setting', 'description', 'values')
  const setting = fields.get('setting')?.text() ?? 'channel'
  if (!/^[a-z][A-Za-z0-9]*$/.test(setting) || ['address', 'value', 'baudRate', 'flowControl'].includes(setting))
    fields.get('setting')?.refuse(`${setting} is not a name for a setting; write one word, e.g. channel`)
  const values = fields.need('values', 'what they are called on the wire, e.g. [1, 2, 3]').list()
  if (values.length === 0) fields.get('values')?.refuse('name at least one')
  for (const [index, each] of values.entries())
    if (values.findIndex((other) => other.text() === each.text()) < index) each.refuse(`${each.text()} is named already`)
  return {
    setting,
    description: fields.get('description')?.text() ?? 'Which channel of the instrument',
    values: values.map((each) => (/^\w{1,32}$/.test(each.text()) ? each.text() : each.refuse('write letters and digits'))),
  }
}

function readStop(value: YamlValue, allowed: Allowed): NonNullable<Description['stop']> {
  if (!value.isFields()) return { send: readTemplates(value, allowed) }
  const fields = value.fields().allow('send', 'confirm')
  return {
    send: readTemplates(fields.need('send', 'the commands that stop it, e.g. OUTP OFF'), allowed),
    ...optional('confirm', fields.has('confirm') ? readCondition(fields.need('confirm', ''), allowed) : undefined),
  }
}

function readWavelength(fields: YamlFields, parameterAt: (value: YamlValue, ...kinds: readonly string[]) => string, settable: typeof parameterAt) {
  fields.allow('parameter', 'setpoint')
  const setpoint = settable(fields.need('setpoint', 'the parameter that is set'), 'FLOAT')
  return { setpoint, parameter: fields.has('parameter') ? parameterAt(fields.need('parameter', ''), 'FLOAT') : setpoint }
}

function readMotion(fields: YamlFields, wide: Allowed, parameterAt: (value: YamlValue, ...kinds: readonly string[]) => string): MotionDescription {
  fields.allow('position', 'velocity', 'move', 'home', 'stop', 'moving', 'minimum', 'maximum')
  const limit = (key: string): number | string | undefined => {
    const value = fields.get(key)
    return value && (value.ifNumber() ?? readTemplate(value, wide, 'query'))
  }
  return {
    position: parameterAt(fields.need('position', 'the parameter that is the measured position'), 'FLOAT'),
    ...optional('velocity', fields.has('velocity') ? parameterAt(fields.need('velocity', ''), 'FLOAT') : undefined),
    move: readTemplate(fields.need('move', 'the command with {value} for the target'), { ...wide, value: 'the target' }, 'set'),
    ...optional('home', fields.has('home') ? readTemplate(fields.need('home', ''), wide, 'command') : undefined),
    stop: readTemplate(fields.need('stop', 'the command that stops it'), wide, 'command'),
    moving: readCondition(fields.need('moving', 'a question, and the pattern that its answer matches while it moves'), wide),
    ...optional('minimum', limit('minimum')),
    ...optional('maximum', limit('maximum')),
  }
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: Value })
}
