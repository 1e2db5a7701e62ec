import { ProtocolViolation } from './framing.ts'

/** What the packet that opens a connection asks for (PostgreSQL manual, "Start-up"). Pure. */
export type Startup =
  | { readonly kind: 'encryption' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'session'; readonly database: string; readonly settings: ReadonlyMap<string, string> }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }

const PROTOCOL_3_0 = 196608
const CANCEL_REQUEST = 80877102
const SSL_REQUEST = 80877103
const GSS_ENCRYPTION_REQUEST = 80877104

/** Named by the protocol itself; every other name is a setting of the session. */
const NOT_SETTINGS: ReadonlySet<string> = new Set(['user', 'database', 'options', 'replication', 'client_encoding'])

export function parseStartup(packet: Buffer): Startup {
  const code = packet.readInt32BE(4)
  if (code === SSL_REQUEST || code === GSS_ENCRYPTION_REQUEST) return { kind: 'encryption' }
  if (code === CANCEL_REQUEST) return { kind: 'cancel' }
  if (code !== PROTOCOL_3_0) return { kind: 'refused', code: '0A000', reason: `protocol version ${code >>> 16}.${code & 0xffff} is not supported, only 3.0` }
  const texts = packet.toString('utf8', 8).split('\0')
  const given = new Map<string, string>()
  for (let index = 0; index + 1 < texts.length && texts[index] !== ''; index += 2) given.set(texts[index] ?? '', texts[index + 1] ?? '')
  const user = given.get('user')
  if (user === undefined) throw new ProtocolViolation('a start-up packet without a user')
  const encoding = given.get('client_encoding')
  if (encoding !== undefined && !/^'?utf-?8'?$/i.test(encoding))
    return { kind: 'refused', code: '22023', reason: `client_encoding ${encoding} is not available on the embedded database, only UTF8` }
  if (given.has('replication') && given.get('replication') !== 'false')
    return { kind: 'refused', code: '0A000', reason: 'replication is not available on the embedded database' }
  const settings = new Map([...given].filter(([name]) => !NOT_SETTINGS.has(name)))
  for (const [name, value] of parseOptions(given.get('options') ?? '')) settings.set(name, value)
  return { kind: 'session', database: given.get('database') ?? user, settings }
}

/** `-c name=value` and `--name=value`, blanks in a value escaped by a backslash. */
export function parseOptions(options: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const [, name = '', value = ''] of options.matchAll(/(?:-c\s*|--)([\w.-]+)=((?:\\.|\S)*)/g))
    found.set(name.replaceAll('-', '_'), value.replaceAll(/\\(.)/g, '$1'))
  return found
}
