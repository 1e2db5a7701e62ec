import type { PortKind } from '../../core/device.ts'
import { HardwareFault, Problem } from '../../core/errors.ts'
import { parseAddress } from '../address.ts'
import { capabilitiesOf, type Driver, type DriverContext, PROBE_WITHIN_MS, type Probed } from '../driver.ts'
import { decode } from './coding.ts'
import { ModbusDevice } from './device.ts'
import { LINK_PARAMETERS } from './link-health.ts'
import { MAX_WORDS_READ, readRequest } from './pdu.ts'
import { type ModbusPort, openModbusPort, refuseOtherSettings } from './port.ts'
import type { Connection, Profile } from './profile.ts'
import type { ProfileFile } from './read-profile.ts'
import { settingsOf } from './settings.ts'
import { specOf } from './specs.ts'

/** On a serial line a word that nobody asked for takes two of its characters, another request some twenty. */
const WORTH_READING_THROUGH_SERIAL = 10

/** The driver of the devices that a register profile describes, over Modbus TCP or RTU. */
export function modbusDriver(file: ProfileFile): Driver<ModbusPort> {
  const preset = file.profile({})
  const settings = settingsOf(file)
  const { identity } = preset
  return {
    id: preset.id,
    vendor: preset.vendor,
    model: preset.model,
    version: preset.version,
    portKind: portKindOf(preset.connection),
    portFamily: 'modbus',
    settings: settings.specs,
    capabilities: capabilitiesOf(facetsOf(preset)),
    ...(preset.documentation !== undefined && { documentation: preset.documentation }),
    ...(preset.afterLostStation !== undefined && { afterLostStation: preset.afterLostStation }),
    locate: (given) => {
      const { address, unit } = settings.read(given)
      return { address, subAddress: String(unit) }
    },
    openPort: async (given, context, signal) => {
      const { address, serial } = settings.read(given)
      return await openModbusPort(address, serial, context, signal)
    },
    openDevice: async (port, given, _context, signal) => {
      const { unit, serial, profile } = settings.read(given)
      refuseOtherSettings(port, serial)
      return await openDevice(port, unit, profile, signal)
    },
    ...(identity !== undefined && { probe: (address, context, signal) => probe(preset, address, context, signal) }),
  }
}

async function openDevice(port: ModbusPort, unit: number, profile: Profile, signal: AbortSignal): Promise<ModbusDevice> {
  const readThrough = profile.connection.readThrough ?? (port.serial === undefined ? MAX_WORDS_READ : WORTH_READING_THROUGH_SERIAL)
  const device = new ModbusDevice({ line: port.line, profile, unit, readThrough })
  if (profile.stop !== undefined && profile.connection.stopConnection && port.connectAgain !== undefined) await port.line.withStopBus(port.connectAgain)
  device.identity = await identified(port, device, profile, unit, signal)
  return device
}

/** Throws HardwareFault that names what it found. */
async function identified(port: ModbusPort, device: ModbusDevice, profile: Profile, unit: number, signal: AbortSignal): Promise<string> {
  const { identity, registers, vendor, model } = profile
  const place = `${port.address}, unit ${unit}`
  const [first] = registers
  if (identity === undefined) {
    // It has no identity of its own; that it answers for its first register is what can be known.
    if (first !== undefined && first.access !== 'WRITE_ONLY')
      await device.exchange('command', (ask) => ask(readRequest(first.table, first.at, first.words)), signal)
    return `${vendor} ${model} at ${place}`
  }
  const named = [...identity.text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')
  const values = new Map<string, string>()
  for (const name of new Set([...identity.expect.map(({ register }) => register), ...named])) {
    const register = registers.find((candidate) => candidate.name === name)
    if (register === undefined) continue
    const words = await device.exchange('command', (ask) => ask(readRequest(register.table, register.at, register.words)), signal)
    const value = decode(register, words)
    const wanted = identity.expect.find((expected) => expected.register === name)
    const right = wanted === undefined || (value !== undefined && (wanted.equals === undefined || String(value) === wanted.equals))
    if (!right) {
      const expected = wanted.equals === undefined ? `which has no meaning as ${name}` : `where ${name} of a ${vendor} ${model} is ${wanted.equals}`
      throw new HardwareFault(`${place} has ${value ?? words.join(', ')} in ${register.table} ${register.at}, ${expected}: it is another device`, 'NONE')
    }
    values.set(name, value === undefined ? `(${words.join(', ')})` : String(value))
  }
  return identity.text.replaceAll(/\{(\w+)\}/g, (_, name: string) => values.get(name) ?? '?')
}

/** Asks the profile's own unit only, by reading: a whole bus would take minutes. */
async function probe(profile: Profile, address: string, context: DriverContext, signal: AbortSignal): Promise<readonly Probed[]> {
  const { connection } = profile
  const { kind } = parseAddress(address)
  if (kind !== 'sim' && !connection.over.some((transport) => transport === kind)) return []
  const within = AbortSignal.any([signal, AbortSignal.timeout(PROBE_WITHIN_MS)])
  try {
    await using port = await openModbusPort(address, connection, context, within)
    const timeoutMs = Math.min(connection.timeoutMs, PROBE_WITHIN_MS / 2)
    const asked = { ...profile, connection: { ...connection, timeoutMs, stopConnection: false } }
    await using device = await openDevice(port, connection.unit, asked, within)
    return [{ identity: device.identity, settings: { address } }]
  } catch (error) {
    if (error instanceof Problem && !signal.aborted) return []
    throw error
  }
}

function portKindOf({ over }: Connection): PortKind {
  return over[0] === 'serial' ? 'MODBUS_RTU' : 'MODBUS_TCP'
}

/** What a device of it will have, before one is connected. */
function facetsOf({ registers, commands, readout }: Profile) {
  return {
    parameters: [...registers.map(specOf), ...LINK_PARAMETERS],
    write: true,
    registers: true,
    ...(readout !== undefined && { readout }),
    ...(commands.length > 0 && { commands: { specs: commands } }),
  }
}
