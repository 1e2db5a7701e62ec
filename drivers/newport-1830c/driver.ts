import type { DeviceSettings } from '../../core/device.ts'
import { HardwareFault } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { requireKind } from '../address.ts'
import { openSerial } from '../byte-transport.ts'
import type { DeviceHandle, Driver, DriverContext, DriverPort } from '../driver.ts'
import { SerialLine } from '../serial-line.ts'
import { addressOf, addressSetting, choiceOf, refuseUnknown } from '../settings.ts'
import { MeterDevice } from './meter.ts'
import { AFTER_SET_MS, ask, command, DIGIT, POWER_REPLY, parsePower, parseWavelength, TERMINATOR, WAVELENGTH } from './protocol.ts'

const REPLY_TIMEOUT_MS = 500 // replies come well within; 7 of 69 readings of an early run did not come at all
const GAP_MS = 2 // its input buffer takes a command while it works on one
const BAUD_RATE = 9600

const wattsCode = {
  name: 'wattsCode',
  kind: 'ENUM',
  required: false,
  default: '1',
  choices: ['1', '0'],
  description: 'What U? answers when the meter shows watts. The manual says 1, one bench saw 0',
} as const satisfies SettingSpec

const SETTINGS: readonly SettingSpec[] = [addressSetting('serial:///dev/serial/by-id/usb-Prolific_Serial-if00-port0'), wattsCode]

/** Newport 1830-C: one meter on its serial line. */
export const newport1830c: Driver<MeterPort> = {
  id: 'newport-1830c',
  vendor: 'Newport',
  model: '1830-C',
  version: '1.0.0',
  portKind: 'SERIAL',
  settings: SETTINGS,
  documentation: 'Newport 1830-C optical power meter, read in watts. The power depends on the wavelength that is set: it must follow the light.',
  capabilities: ['READABLE', 'PARAMETERIZED', 'SETTABLE'],
  locate: (settings) => ({ address: locate(settings).address }),
  openPort,
  openDevice,
}

type MeterPort = DriverPort & { readonly line: SerialLine; readonly address: string }

function locate(settings: DeviceSettings): { readonly address: string; readonly wattsCode: string } {
  refuseUnknown(settings, SETTINGS)
  return { address: addressOf(settings, 'serial'), wattsCode: choiceOf(settings, wattsCode) }
}

async function openPort(settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<MeterPort> {
  const { address } = locate(settings)
  const { path } = requireKind(await context.resolve(address), 'serial', address)
  const transport = await openSerial({ path, baudRate: BAUD_RATE, flowControl: 'none' }, signal)
  const line = new SerialLine(transport, {
    sendTerminator: TERMINATOR,
    replyTerminator: TERMINATOR,
    timeoutMs: REPLY_TIMEOUT_MS,
    gapMs: GAP_MS,
    marker: { command: ask.wavelength, reply: WAVELENGTH },
  })
  return { line, address, lost: line.lost, [Symbol.asyncDispose]: () => line[Symbol.asyncDispose]() }
}

/** It has no identity: a plausible wavelength, watts and a power make it one. */
async function openDevice(port: MeterPort, settings: DeviceSettings, _context: DriverContext, signal: AbortSignal): Promise<DeviceHandle> {
  const expected = locate(settings).wattsCode
  const not = (question: string, reply: string): never => {
    throw new HardwareFault(`${port.address} answers ${question} with ${JSON.stringify(reply)}, which is not a Newport 1830-C`, 'NONE')
  }
  await port.line.exchange(
    'command',
    async (line) => {
      await line.send(command.echoOff)
      await line.send(command.clearStatus)
      await line.send(command.watts)
      await line.pause(AFTER_SET_MS)
      const wavelength = await line.ask(ask.wavelength, /./)
      if (parseWavelength(wavelength) === undefined) not(ask.wavelength, wavelength)
      const units = await line.ask(ask.units, DIGIT)
      if (units !== expected)
        throw new HardwareFault(`${port.address} does not show watts (U? answers ${units}, expected ${expected}); set them at its front panel`, 'DONE')
      const power = await line.ask(ask.power, /./)
      if ('bad' in parsePower(power) && !POWER_REPLY.test(power)) not(ask.power, power)
    },
    signal,
  )
  return new MeterDevice(port.line, expected)
}
