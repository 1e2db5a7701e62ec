import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { SerialPort } from 'serialport'
import type { PortState } from '../../core/device.ts'
import { type Place, parseAddress, parseBookEntry } from '../address.ts'

/** The ports of this host: what is there, and by which name each stays the same when cables are plugged in another order. */
export interface HostPorts {
  /** Serial lines by stable id, USBTMC instruments, and what stands in the simulated lab's address book. */
  present(): Promise<readonly PresentPort[]>
  /** Where an address leads. One that leads nowhere now is described by itself; never throws. */
  describe(address: string): Promise<PortState>
  /** The same text for all names of one place. Never throws. */
  keyOf(address: string): Promise<string>
}

export type PresentPort = Omit<PortState, 'path'> & { readonly place: Place }

export type HostPortsOptions = {
  /** Of the simulated lab. */
  readonly labFolder: string | undefined
  /** Only tests give others. */
  readonly devFolder?: string
  readonly sysFolder?: string
  /** What the operating system knows of serial ports, by their device file. */
  readonly listSerial?: () => Promise<
    readonly { readonly path: string; readonly serialNumber?: string | undefined; readonly manufacturer?: string | undefined }[]
  >
}

const SERIAL_FILE = /^tty(?:USB|ACM|AMA|XRUSB|S)\d+$/
/** Device files that are addresses as they are, by kind. Comedi's others (comedi0_subd1) are parts of a board. */
const DEVICE_FILES = { usbtmc: /^usbtmc\d+$/, comedi: /^comedi\d+$/ } as const
const DEVICE_KINDS = ['usbtmc', 'comedi'] as const
const LIST_WITHIN_MS = 2_000 // it asks udev, which may hang; a port is a port without its serial number, too

type Usb = Pick<PortState, 'serialNumber' | 'vendor'>

export function hostPorts({ labFolder, devFolder = '/dev', sysFolder = '/sys', listSerial = () => SerialPort.list() }: HostPortsOptions): HostPorts {
  /** By device file, the stable link that leads to it: the first by name, where there are several. */
  const stableLinks = async (): Promise<ReadonlyMap<string, string>> => {
    const folder = join(devFolder, 'serial/by-id')
    const links = new Map<string, string>()
    for (const name of await namesIn(folder)) {
      const link = join(folder, name)
      const file = await realpath(link).catch(() => undefined) // unplugged in this moment
      if (file !== undefined && !links.has(file)) links.set(file, link)
    }
    return links
  }

  const usbByFile = async (): Promise<ReadonlyMap<string, Usb>> => {
    const listed = await inTime(listSerial()).catch(() => []) // a host without udev knows nothing of them
    return new Map(
      listed.map(({ path, serialNumber, manufacturer }) => [
        path,
        { ...(serialNumber !== undefined && { serialNumber }), ...(manufacturer !== undefined && { vendor: manufacturer }) },
      ]),
    )
  }

  const serialPorts = async (): Promise<readonly PresentPort[]> => {
    const [links, usb, names] = await Promise.all([stableLinks(), usbByFile(), namesIn(devFolder)])
    const wired = names.filter((name) => SERIAL_FILE.test(name))
    const there = await Promise.all(wired.map(async (name) => ((await isPhantom(sysFolder, name)) ? [] : [join(devFolder, name)])))
    const files = new Set([...links.keys(), ...there.flat()])
    return [...files].map((file) => {
      const path = links.get(file) ?? file
      return { address: `serial://${path}`, place: { kind: 'serial', path }, ...usb.get(file) }
    })
  }

  const labPorts = async (): Promise<readonly PresentPort[]> => {
    if (labFolder === undefined) return []
    const names = (await namesIn(labFolder)).filter((name) => name.endsWith('.json'))
    const ports = names.map(async (file): Promise<PresentPort[]> => {
      const place = parseBookEntry(await readFile(join(labFolder, file), 'utf8').catch(() => ''))
      return place === undefined ? [] : [{ address: `sim://${file.slice(0, -'.json'.length)}`, place }]
    })
    return (await Promise.all(ports)).flat()
  }

  const placeOf = async (address: string): Promise<Place | undefined> => {
    const parsed = parseAddress(address)
    if (parsed.kind !== 'sim') return parsed
    return (await labPorts()).find((port) => port.address === address)?.place
  }

  return {
    present: async () => {
      const names = await namesIn(devFolder)
      const devices = DEVICE_KINDS.flatMap((kind) =>
        names
          .filter((name) => DEVICE_FILES[kind].test(name))
          .map((name): PresentPort => ({ address: `${kind}://${join(devFolder, name)}`, place: { kind, path: join(devFolder, name) } })),
      )
      return [...(await serialPorts()), ...devices, ...(await labPorts())]
    },
    describe: async (address) => {
      try {
        const parsed = parseAddress(address)
        if (parsed.kind !== 'serial') return { address, path: address }
        const file = await realpath(parsed.path)
        const [links, usb] = await Promise.all([stableLinks(), usbByFile()])
        const link = links.get(file)
        return { address, path: link === undefined ? address : `serial://${link}`, ...usb.get(file) }
      } catch {
        return { address, path: address }
      }
    },
    keyOf: async (address) => {
      try {
        const place = await placeOf(address)
        return place === undefined ? address : await keyOfPlace(place)
      } catch {
        return address
      }
    },
  }
}

/** The same text for all names of one place. */
export async function keyOfPlace(place: Place): Promise<string> {
  if ('path' in place) return `${place.kind} ${await realpath(place.path).catch(() => place.path)}`
  return `${place.kind} ${place.host} ${place.port}${place.kind === 'hislip' ? ` ${place.name}` : ''}`
}

/** In their order; empty where there is no such folder. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).sort()
}

/** The kernel makes the files of some serial ports of the mainboard whether they are there or not; type 0 is one without a chip. */
async function isPhantom(sysFolder: string, name: string): Promise<boolean> {
  if (!name.startsWith('ttyS')) return false
  return (await readFile(join(sysFolder, 'class/tty', name, 'type'), 'utf8').catch(() => '0')).trim() === '0'
}

async function inTime<T>(listing: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no list of serial ports within ${LIST_WITHIN_MS} ms`)), LIST_WITHIN_MS)
  })
  try {
    return await Promise.race([listing, late])
  } finally {
    clearTimeout(timer)
  }
}
