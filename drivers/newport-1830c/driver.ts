import type { DeviceSettings } from '../../core/device.ts'
import { HardwareFault } from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import type { DeviceHandle, Driver, DriverContext, DriverPort } from '../driver.ts'
import type { SerialLine } from '../transport/serial-line.ts'
import { openMeterLine } from './line.ts'
import { MeterDevice } from './meter.ts'
import { probe } from './probe.ts'
import { ask, command, DIGIT, POWER_REPLY, parseWavelength } from './protocol.ts'
import { locate, SETTINGS } from './settings.ts'
import { UNIT_CODES } from './units.ts'

/** Newport 1830-C: one meter on its serial line. */
export const newport1830c: Driver<MeterPort> = {
  id: 'newport-1830c',
  vendor: 'Newport',
  model: '1830-C',
  version: '1.1.0',
  portKind: 'SERIAL',
  settings: SETTINGS,
  documentation:
    'Newport 1830-C optical power meter. The power depends on the wavelength that is set: it must follow the light. The digits of a reading do not tell ' +
    'their unit, so the meter is asked for it with each reading, and a reading in another one is bad.',
  capabilities: ['READABLE', 'PARAMETERIZED', 'SETTABLE', 'COMMANDABLE'],
  locate: (settings) => ({ address: locate(settings).address }),
  openPort,
  openDevice,
  probe,
}

type MeterPort = DriverPort & { readonly line: SerialLine; readonly address: string }

async function openPort(settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<MeterPort> {
  const { address, replyTimeoutMs } = locate(settings)
  const { path } = requireKind(await context.resolve(address), 'serial', address)
  const line = await openMeterLine(path, replyTimeoutMs, signal)
  return { line, address, lost: line.lost, [Symbol.asyncDispose]: () => line[Symbol.asyncDispose]() }
}

/** It has no identity: a plausible wavelength, a unit and a power make it one. */
async function openDevice(port: MeterPort, settings: DeviceSettings, _context: DriverContext, signal: AbortSignal): Promise<DeviceHandle> {
  const { unit, unitCodes, code } = locate(settings)
  const not = (question: string, reply: string): never => {
    throw new HardwareFault(`${port.address} answers ${question} with ${JSON.stringify(reply)}, which is not a Newport 1830-C`, 'NONE')
  }
  await port.line.exchange(
    'command',
    async (line) => {
      await line.send(command.echo(false))
      await line.send(command.clearStatus)
      if (UNIT_CODES[unitCodes].settable) await line.send(command.units(code))
      const wavelength = await line.ask(ask.wavelength, /./)
      if (parseWavelength(wavelength) === undefined) not(ask.wavelength, wavelength)
      const shown = await line.ask(ask.units, DIGIT)
      if (shown !== code)
        throw new HardwareFault(
          `${port.address} does not show ${unit} (U? answers ${shown}, expected ${code} by ${unitCodes}); set it at its front panel`,
          'DONE',
        )
      const power = await line.ask(ask.power, /./)
      if (!POWER_REPLY.test(power)) not(ask.power, power)
    },
    signal,
  )
  return new MeterDevice(port.line, { unit, unitCodes, code })
}
