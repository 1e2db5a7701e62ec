import type { DeviceSettings } from '../../core/device.ts'
import { HardwareFault, InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { requireKind } from '../address.ts'
import type { DeviceHandle, Driver, DriverContext, DriverPort } from '../driver.ts'
import { ModbusLine } from '../modbus-line.ts'
import { connectModbus } from '../register-bus.ts'
import { addressOf, addressSetting, refuseUnknown } from '../settings.ts'
import { STATE_AT, STATES } from './profile.ts'
import { SawDevice } from './saw.ts'

const TIMEOUT_MS = 1000 // the PLC answers within a cycle of some ten milliseconds

const unit: SettingSpec = { name: 'unit', kind: 'INTEGER', required: false, default: '1', description: 'Modbus unit identifier of the PLC, 0 to 255' }
const SETTINGS: readonly SettingSpec[] = [addressSetting('tcp://192.168.1.10:502'), unit]

/** The band saw's PLC over Modbus TCP. */
export const smartSaw: Driver<SawPort> = {
  id: 'smart-saw',
  vendor: 'Smart Saw',
  model: 'band saw PLC',
  version: '1.0.0',
  portKind: 'MODBUS_TCP',
  settings: SETTINGS,
  documentation: "Industrial band saw. An emergency stop here cancels the cut by the PLC; it does not replace the machine's own emergency stop circuit.",
  capabilities: ['PARAMETERIZED', 'SETTABLE', 'REGISTER_BANK'],
  locate: (settings) => ({ address: locate(settings).address }),
  openPort,
  openDevice,
}

type SawPort = DriverPort & { readonly line: ModbusLine; readonly address: string }

function locate(settings: DeviceSettings): { readonly address: string; readonly unit: number } {
  refuseUnknown(settings, SETTINGS)
  const given = Number(settings.unit ?? unit.default)
  if (!Number.isInteger(given) || given < 0 || given > 255)
    throw new InvalidValue(`unit: ${String(settings.unit)} is not allowed; give a whole number from 0 to 255`, ['unit'])
  return { address: addressOf(settings, 'tcp'), unit: given }
}

async function openPort(settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<SawPort> {
  const located = locate(settings)
  const { host, port } = requireKind(await context.resolve(located.address), 'tcp', located.address)
  const options = { host, port, unit: located.unit, timeoutMs: TIMEOUT_MS }
  const bus = await connectModbus(options, signal)
  try {
    const line = new ModbusLine(bus, await connectModbus(options, signal))
    return { line, address: located.address, lost: line.lost, [Symbol.asyncDispose]: () => line[Symbol.asyncDispose]() }
  } catch (error) {
    await bus[Symbol.asyncDispose]()
    throw error
  }
}

/** The PLC has no identity: that it answers the state register with a state makes it one. */
async function openDevice(port: SawPort, settings: DeviceSettings, _context: DriverContext, signal: AbortSignal): Promise<DeviceHandle> {
  locate(settings)
  const [machine, state] = await port.line.exchange('command', async (registers) => [await registers.read(1000, 1), await registers.read(STATE_AT, 1)], signal)
  if (STATES[state?.[0] ?? -1] === undefined)
    throw new HardwareFault(`${port.address} has ${state?.[0]} in register ${STATE_AT}, which is no state of a saw`, 'NONE')
  return new SawDevice(port.line, `band saw ${machine?.[0]}`)
}
