import type { PortKind } from '../../../core/device.ts'
import { messageOf, Problem } from '../../../core/errors.ts'
import type { Place } from '../../../drivers/address.ts'
import { type Driver, type DriverContext, PROBE_WITHIN_MS, type Probed } from '../../../drivers/driver.ts'
import { type HostPorts, keyOfPlace, type PresentPort } from '../../../drivers/transport/host-ports.ts'
import { DISCOVER_WITHIN_MS, type FoundPort } from '../../../link/protocol.ts'
import { deadline, orAbort } from './deadline.ts'
import type { PortPool } from './port-pool.ts'
import type { StationDevice } from './station-device.ts'

export type Discovery = {
  readonly drivers: readonly Driver[]
  readonly devices: readonly StationDevice[]
  readonly hostPorts: HostPorts
  readonly pool: Pick<PortPool, 'whileClosed'>
  readonly context: DriverContext
  readonly log: (line: string) => void
}

const PORTS_AT_ONCE = 8 // each is a line of its own; more would only crowd the event loop
const DRIVER_WITHIN_MS = 5 * PROBE_WITHIN_MS // sixteen addresses of a bus take about three seconds; a driver that hangs must leave time for the others

/** A device that is registered on a port. */
type Known = { readonly device: StationDevice; readonly driver: Driver; readonly address: string; readonly subAddress: string | undefined }
type Candidate = { readonly address: string; readonly present: PresentPort | undefined; readonly known: readonly Known[] }

/** Ports that are there or registered, each with who is on it. What nobody has open is asked who it is; an open port is never touched. */
export async function discoverPorts(discovery: Discovery, signal: AbortSignal, withinMs = DISCOVER_WITHIN_MS): Promise<readonly FoundPort[]> {
  using limit = deadline(signal, withinMs, () => new Problem('DEADLINE_EXCEEDED', `not all ports were asked within ${withinMs} ms`))
  const candidates = await candidatesOf(discovery)
  const found = candidates.map((): readonly FoundPort[] => [])
  const waiting = [...candidates.entries()]
  const askThem = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) found[next[0]] = await onPort(next[1], discovery, limit.signal)
  }
  await Promise.all(Array.from({ length: PORTS_AT_ONCE }, askThem))
  signal.throwIfAborted()
  return found.flat()
}

async function candidatesOf({ devices, hostPorts }: Discovery): Promise<readonly Candidate[]> {
  const byKey = new Map<string, { present: PresentPort | undefined; readonly known: Known[] }>()
  for (const present of await hostPorts.present()) byKey.set(await keyOfPlace(present.place), { present, known: [] })
  for (const device of devices) {
    const known = knownOf(device)
    if (known === undefined) continue
    const key = await hostPorts.keyOf(known.address)
    const there = byKey.get(key)
    if (there === undefined) byKey.set(key, { present: undefined, known: [known] })
    else there.known.push(known)
  }
  return [...byKey.values()].flatMap(({ present, known }) => {
    const address = known[0]?.address ?? present?.address
    return address === undefined ? [] : [{ address, present, known }]
  })
}

function knownOf(device: StationDevice): Known | undefined {
  const { driver, record } = device
  if (driver === undefined) return undefined
  try {
    const { address, subAddress } = driver.locate(record.settings)
    return { device, driver, address, subAddress }
  } catch {
    return undefined // settings of another version of the driver: the device says so itself
  }
}

async function onPort(candidate: Candidate, discovery: Discovery, signal: AbortSignal): Promise<readonly FoundPort[]> {
  const { address, present, known } = candidate
  const names = [...new Set([address, ...known.map((one) => one.address)])]
  const answered = (await discovery.pool.whileClosed(names, () => whoAnswers(candidate, discovery, signal))) ?? []
  const { path, serialNumber, vendor } = await discovery.hostPorts.describe(address)
  const port = {
    address,
    path,
    portKind: answered[0]?.driver.portKind ?? known[0]?.driver.portKind ?? kindOf(present?.place),
    ...(serialNumber !== undefined && { serialNumber }),
    ...(vendor !== undefined && { vendor }),
  }
  const met = new Set<Known>()
  const entries = answered.flatMap(({ driver, identity, settings }, at): FoundPort[] => {
    const { subAddress } = driver.locate(settings)
    const registered = known.find((one) => one.driver.id === driver.id && (one.subAddress ?? (at === 0 ? subAddress : undefined)) === subAddress) // without one it takes the first
    if (registered !== undefined) met.add(registered)
    return [
      {
        ...port,
        identity,
        settings,
        driverId: driver.id,
        ...(subAddress !== undefined && { subAddress }),
        ...(registered !== undefined && { deviceId: registered.device.record.id }),
      },
    ]
  })
  const others = known.filter((one) => !met.has(one)).map((one) => ({ ...port, ...registeredEntry(one) }))
  return entries.length + others.length === 0 ? [port] : [...entries, ...others]
}

/** A registered device that was not asked, because it is connected, or did not answer. */
function registeredEntry({ device, driver, subAddress }: Known): Pick<FoundPort, 'driverId' | 'deviceId' | 'subAddress' | 'identity' | 'settings'> {
  const { identity } = device.state
  return {
    driverId: driver.id,
    deviceId: device.record.id,
    settings: device.record.settings,
    ...(subAddress !== undefined && { subAddress }),
    ...(identity !== undefined && { identity }),
  }
}

/** One driver after the other, those of the registered devices first; an instrument answers to one of them. */
async function whoAnswers(
  { address, present, known }: Candidate,
  { drivers, context, log }: Discovery,
  signal: AbortSignal,
): Promise<readonly (Probed & { readonly driver: Driver })[]> {
  const own = new Set(known.map(({ driver }) => driver))
  const inOrder = [...own, ...drivers.filter((driver) => !own.has(driver))]
  for (const driver of inOrder) {
    if (signal.aborted) return []
    if (driver.probe === undefined || !fits(driver, present?.place, address)) continue
    using limit = deadline(signal, DRIVER_WITHIN_MS, () => new Problem('DEADLINE_EXCEEDED', `${driver.id} was not done within ${DRIVER_WITHIN_MS} ms`))
    try {
      const answered = await orAbort(driver.probe(address, context, limit.signal), limit.signal)
      if (answered.length > 0) return answered.map((one) => ({ ...one, driver }))
    } catch (error) {
      log(`${address} does not answer as ${driver.id}: ${messageOf(error)}`)
    }
  }
  return []
}

/** Whether the driver can use such an address; it says so itself. */
function fits(driver: Driver, place: Place | undefined, address: string): boolean {
  return (place === undefined ? [address] : addressesOfPlace(place)).some((real) => {
    try {
      driver.locate({ address: real })
      return true
    } catch (error) {
      return !(error instanceof Problem && error.facts.path?.includes('address') === true) // it misses another setting only
    }
  })
}

/** As a driver would be given it. Which of the libraries that drivers load a simulated one is, only they can tell. */
function addressesOfPlace(place: Place): readonly string[] {
  return place.kind === 'library' ? [`pvcam://${place.path}`, `comedi://${place.path}`] : [addressOfPlace(place)]
}

function addressOfPlace(place: Exclude<Place, { readonly kind: 'library' }>): string {
  if ('path' in place) return `${place.kind}://${place.path}`
  const host = place.host.includes(':') ? `[${place.host}]` : place.host
  return place.kind === 'hislip' ? `hislip://${host}:${place.port}/${place.name}` : `tcp://${host}:${place.port}`
}

const KIND_OF_PLACE = {
  serial: 'SERIAL',
  tcp: 'TCP',
  hislip: 'TCP',
  usbtmc: 'USB',
  spi: 'SPI',
  gpio: 'NATIVE',
  comedi: 'NATIVE',
  library: 'NATIVE',
} as const satisfies Record<Place['kind'], PortKind>

function kindOf(place: Place | undefined): PortKind {
  return place === undefined ? 'SERIAL' : KIND_OF_PLACE[place.kind]
}
