import type { DeviceSettings } from '../../core/device.ts'
import { asProblem, DeadlineExceeded, HardwareFault } from '../../core/errors.ts'
import type { DeviceHandle, Driver, DriverContext, Probed } from '../driver.ts'
import type { BusExchange } from '../transport/bus-line.ts'
import { ModuleDevice } from './module.ts'
import { BusPort, openBus } from './port.ts'
import { ADDRESSES, ask, type Identity, identityText, isTruncatedIdentity, MODEL, parseIdentity, parseStatus, reply } from './protocol.ts'
import { locate, SETTINGS } from './settings.ts'

const IDENTIFY_TIMES = 5 // an identity is truncated when another module speaks at the same time
const IDENTIFY_AGAIN_MS = 200
const PROBE_MS = 200 // for each of 16 addresses
const PROBE_BAUD = 9600

/** Thorlabs Elliptec ELL14 rotation mounts: up to 16 on one serial line; each address is a device. */
export const thorlabsEll14: Driver<BusPort> = {
  id: 'thorlabs-ell14',
  vendor: 'Thorlabs',
  model: 'ELL14',
  version: '1.0.0',
  portKind: 'SERIAL',
  settings: SETTINGS,
  documentation: 'A rotation mount on a multi-drop bus of up to 16. Manual: "ELLx modules protocol manual".',
  capabilities: ['MOVABLE', 'PARAMETERIZED', 'SETTABLE', 'COMMANDABLE'],
  afterLostStation: 'STOP',

  locate: (settings) => {
    const { address, busAddress } = locate(settings)
    return { address, subAddress: busAddress }
  },

  openPort: (settings, context, signal) => BusPort.open(settings, context, signal),

  openDevice: async (port, settings, context, signal) => await openModule(port, settings, context, signal),

  probe: async (address, context, signal) => await probe(address, context, signal),
}

async function openModule(port: BusPort, settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<DeviceHandle> {
  const located = locate(settings)
  const { busAddress } = located
  port.agree(located)
  const identity = await twice(() => port.line.exchange(busAddress, 'command', (bus) => identify(bus, busAddress), signal))
  const where = `address ${busAddress} of ${port.address}`
  if (identity.type !== MODEL) throw new HardwareFault(`${where} answers as ELL${identity.type}, which is not an ELL14`, 'NONE')
  if (located.serialNumber !== '' && located.serialNumber !== identity.serial)
    throw new HardwareFault(`${where} answers as serial number ${identity.serial}, not ${located.serialNumber}`, 'NONE')
  const line = await twice(() => port.line.exchange(busAddress, 'command', (bus) => bus.ask(ask.status(busAddress), reply.status(busAddress)), signal))
  const status = parseStatus(line)
  if (status !== undefined && !status.ok) context.log(`${where}: ${status.text} (${status.code}) from before this connection`)
  return new ModuleDevice(port, located, identity, context.log)
}

/** A reply can be lost on a shared bus, and these questions change nothing. */
async function twice<T>(question: () => Promise<T>): Promise<T> {
  return await question().catch((error: unknown) => {
    if (error instanceof DeadlineExceeded) return question()
    throw error
  })
}

/** Asks again when the answer is truncated. */
async function identify(bus: BusExchange, busAddress: string): Promise<Identity> {
  let line = ''
  for (let times = 0; times < IDENTIFY_TIMES; times += 1) {
    if (times > 0) await bus.pause(IDENTIFY_AGAIN_MS)
    line = await bus.ask(ask.identity(busAddress), new RegExp(`^${busAddress}IN`))
    const identity = parseIdentity(line)
    if (identity !== undefined) return identity
    if (!isTruncatedIdentity(line, busAddress)) break
  }
  throw new HardwareFault(`address ${busAddress} answers ${JSON.stringify(line)}, which is no identity of an Elliptec module`, 'NONE')
}

/** `in` to each address: neither moves nor changes anything. */
async function probe(address: string, context: DriverContext, signal: AbortSignal): Promise<readonly Probed[]> {
  await using line = await openBus(address, PROBE_BAUD, context, signal)
  const found: Probed[] = []
  for (const busAddress of ADDRESSES) {
    try {
      const text = await line.exchange(busAddress, 'command', (bus) => bus.ask(ask.identity(busAddress), reply.identity(busAddress), PROBE_MS), signal)
      const identity = parseIdentity(text)
      if (identity?.type === MODEL) found.push({ identity: identityText(identity, busAddress), settings: { address, busAddress } })
    } catch (error) {
      if (signal.aborted || asProblem(error).code !== 'DEADLINE_EXCEEDED') throw error
    }
  }
  return found
}
