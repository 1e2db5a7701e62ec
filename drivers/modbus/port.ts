import { Conflict } from '../../core/errors.ts'
import type { DriverContext, DriverPort } from '../driver.ts'
import { openSerial } from '../transport/byte-transport.ts'
import type { RegisterBus } from './bus.ts'
import { ModbusLine } from './line.ts'
import type { Connection } from './profile.ts'
import { overSerial } from './rtu.ts'
import { connectModbus } from './tcp.ts'

/** A connection that the devices of any number of profiles share. */
export type ModbusPort = DriverPort & {
  readonly line: ModbusLine
  readonly address: string
  /** Of a serial line: what it was opened with. */
  readonly serial?: SerialSettings
  /** A second connection, where there can be one. */
  readonly connectAgain?: () => Promise<RegisterBus>
}

export type SerialSettings = Pick<Connection, 'baudRate' | 'parity' | 'stopBits'>

const AGAIN_WITHIN_MS = 5000
const START_BIT_AND_DATA = 9

/** Throws DeviceOffline, or InvalidValue for an address of another kind. */
export async function openModbusPort(address: string, serial: SerialSettings, context: DriverContext, signal: AbortSignal): Promise<ModbusPort> {
  const place = await context.resolve(address)
  if (place.kind === 'tcp') {
    const line = new ModbusLine(await connectModbus(place, signal))
    return portOf(line, { address, connectAgain: () => connectModbus(place, AbortSignal.timeout(AGAIN_WITHIN_MS)) })
  }
  if (place.kind !== 'serial') throw new Conflict(`${address} leads to a ${place.kind} place, where no Modbus is spoken`)
  const { path } = place
  const transport = await openSerial({ path, flowControl: 'none', ...serial }, signal)
  const bitsPerCharacter = START_BIT_AND_DATA + (serial.parity === 'none' ? 0 : 1) + serial.stopBits
  return portOf(new ModbusLine(overSerial(transport, { path, baudRate: serial.baudRate, bitsPerCharacter })), { address, serial })
}

/** Two devices of one line must mean the same line. */
export function refuseOtherSettings(port: ModbusPort, wanted: SerialSettings): void {
  if (port.serial === undefined) return
  const shown = ({ baudRate, parity, stopBits }: SerialSettings): string => `${baudRate} baud, parity ${parity}, ${stopBits} stop bits`
  if (shown(port.serial) !== shown(wanted)) throw new Conflict(`${port.address} is open for another device with ${shown(port.serial)}, not ${shown(wanted)}`)
}

function portOf(line: ModbusLine, of: Pick<ModbusPort, 'address' | 'serial' | 'connectAgain'>): ModbusPort {
  return { ...of, line, lost: line.lost, [Symbol.asyncDispose]: () => line[Symbol.asyncDispose]() }
}
