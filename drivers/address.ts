import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { DeviceOffline, InvalidValue, messageOf } from '../core/errors.ts'
import type { ResolvedAddress } from './driver.ts'

/** Where bytes, registers or a library are. */
export type Place =
  | { readonly kind: 'serial'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'library'; readonly path: string }
  /** A character device of the kernel, or where it is simulated, a socket of the same name that answers as the device would. */
  | { readonly kind: 'spi' | 'gpio' | 'usbtmc'; readonly path: string }
  /** A board of the kernel's Comedi drivers. */
  | { readonly kind: 'comedi'; readonly path: string }
  /** IVI-6.1; `name` is its sub-address. */
  | { readonly kind: 'hislip'; readonly host: string; readonly port: number; readonly name: string }

/** Where a device is, as a person writes it. `sim://` names an instrument of the simulated lab; nothing ever falls back to one. */
export type Address = Place | { readonly kind: 'sim'; readonly name: string }

/** An entry of the lab's address book: `<labFolder>/<name>.json`, written by the lab process. */
export type BookEntry = Place

export const ADDRESS_FORMS =
  'serial:///dev/serial/by-id/…, tcp://host:port, hislip://host[:port][/name], usbtmc:///dev/usbtmc0, spi:///dev/spidev0.0, gpio:///dev/gpiochip0, ' +
  'comedi:///dev/comedi0, pvcam:///path/libpvcam.so or sim://name'

const HISLIP_PORT = 4880 // IVI-6.1, 2.7
const FILES = { serial: 'serial', pvcam: 'library', usbtmc: 'usbtmc', spi: 'spi', gpio: 'gpio', comedi: 'comedi' } as const

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/ // it becomes a file name
const HISLIP = /^hislip:\/\/(\[[0-9a-fA-F:.]+\]|[^\s/:[\]]+)(?::(\d{1,5}))?(?:\/([\w,.-]{0,64}))?$/
const TCP = /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^\s/:[\]]+):(\d{1,5})\/?$/

/** Throws InvalidValue, at `path`, with the forms that are allowed. */
export function parseAddress(text: unknown, path: readonly string[] = ['address']): Address {
  if (typeof text === 'string') {
    for (const [scheme, kind] of Object.entries(FILES)) {
      const path = text.startsWith(`${scheme}://`) ? text.slice(scheme.length + 3) : ''
      if (isAbsolute(path)) return { kind, path }
    }
    const hislip = HISLIP.exec(text)
    if (hislip?.[1] !== undefined) {
      const port = Number(hislip[2] ?? HISLIP_PORT)
      if (isPort(port)) return { kind: 'hislip', host: hislip[1].replace(/^\[|\]$/g, ''), port, name: hislip[3] ?? 'hislip0' }
    }
    const tcp = TCP.exec(text)
    if (tcp?.[1] !== undefined) {
      const port = Number(tcp[2])
      if (isPort(port)) return { kind: 'tcp', host: tcp[1].replace(/^\[|\]$/g, ''), port }
    }
    const name = text.startsWith('sim://') ? text.slice('sim://'.length) : ''
    if (NAME.test(name)) return { kind: 'sim', name }
  }
  throw new InvalidValue(`${JSON.stringify(text)} is not an address; write ${ADDRESS_FORMS}`, path)
}

/** The address that leads to this place, as parseAddress takes it. */
export function addressText(place: Place): string {
  switch (place.kind) {
    case 'tcp':
      return `tcp://${hostText(place.host)}:${place.port}`
    case 'hislip':
      return `hislip://${hostText(place.host)}:${place.port}/${place.name}`
    case 'library':
      return `pvcam://${place.path}`
    default:
      return `${place.kind}://${place.path}`
  }
}

function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** `sim://x` is looked up in the lab's address book; every other address stands for itself. */
export async function resolveAddress(address: string, labFolder: string | undefined): Promise<ResolvedAddress> {
  const parsed = parseAddress(address)
  if (parsed.kind !== 'sim') return { ...parsed, simulated: false }
  if (labFolder === undefined) throw new DeviceOffline(`${address} leads to the simulated lab, and this station knows of none`, {})
  const file = bookPath(labFolder, parsed.name)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new DeviceOffline(`${address} is not in the simulated lab (${messageOf(error)})`, {})
  }
  const entry = parseBookEntry(text)
  if (entry === undefined) throw new DeviceOffline(`${file} does not say where ${address} is`, {})
  return { ...entry, simulated: true }
}

export function bookPath(labFolder: string, name: string): string {
  return join(labFolder, `${name}.json`)
}

/** undefined when the text is not an entry. */
export function parseBookEntry(text: string): BookEntry | undefined {
  let entry: unknown
  try {
    entry = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof entry !== 'object' || entry === null || !('kind' in entry)) return undefined
  const kind = Object.values(FILES).find((file) => file === entry.kind)
  if (kind !== undefined && 'path' in entry && typeof entry.path === 'string') return { kind, path: entry.path }
  if (!('host' in entry && typeof entry.host === 'string' && 'port' in entry && typeof entry.port === 'number')) return undefined
  const { host, port } = entry
  if (entry.kind === 'tcp') return { kind: 'tcp', host, port }
  return entry.kind === 'hislip' && 'name' in entry && typeof entry.name === 'string' ? { kind: 'hislip', host, port, name: entry.name } : undefined
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535
}

/** Refuses an address that the driver cannot use, before any hardware is opened. */
export function requireKind<Kind extends ResolvedAddress['kind']>(
  resolved: ResolvedAddress,
  kind: Kind,
  address: string,
): Extract<ResolvedAddress, { kind: Kind }> {
  if (!isKind(resolved, kind)) throw new InvalidValue(`${address} is a ${resolved.kind} address; this driver needs a ${kind} address`, ['address'])
  return resolved
}

function isKind<Kind extends ResolvedAddress['kind']>(resolved: ResolvedAddress, kind: Kind): resolved is Extract<ResolvedAddress, { kind: Kind }> {
  return resolved.kind === kind
}
