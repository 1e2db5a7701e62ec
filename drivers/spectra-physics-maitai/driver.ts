import type { DeviceSettings } from '../../core/device.ts'
import { HardwareFault, InvalidValue } from '../../core/errors.ts'
import type { DeviceHandle, Driver, DriverContext } from '../driver.ts'
import type { Exchange } from '../transport/serial-line.ts'
import { LaserDevice } from './laser.ts'
import type { Range } from './parameters.ts'
import { LaserPort } from './port.ts'
import { probe } from './probe.ts'
import { ANY_IDENTITY, ask, IDENTITY, NANOMETRES, parseNanometres } from './protocol.ts'
import { locate, SETTINGS } from './settings.ts'
import { Watchdog } from './watchdog.ts'

const LIMIT_ASKS = 3 // answers get cut now and then

/** Spectra-Physics Mai Tai: one laser on its line. */
export const spectraPhysicsMaiTai: Driver<LaserPort> = {
  id: 'spectra-physics-maitai',
  vendor: 'Spectra-Physics',
  model: 'Mai Tai',
  version: '1.0.0',
  portKind: 'SERIAL',
  settings: SETTINGS,
  documentation:
    'Spectra-Physics Mai Tai Ti:sapphire laser. Its shutter in software is no interlock. Emission is switched on only with the shutter seen closed and the ' +
    'laser warmed up to 100 %. When the station dies or the line is cut, the laser hears no more questions and, after watchdogSeconds, switches its emission ' +
    'off by itself; the same after a disconnection. A station that comes back closes the shutter first. An emergency stop closes the shutter, then switches the ' +
    'emission off. While the front panel is in LOCAL the laser answers and obeys nothing, the stop among them: a set that has no effect says so.',
  capabilities: ['READABLE', 'PARAMETERIZED', 'SETTABLE', 'SHUTTER_CONTROL', 'EMISSION_CONTROL', 'WAVELENGTH_TUNABLE', 'COMMANDABLE'],
  afterLostStation: 'MAKE_SAFE', // nobody has watched the beam in the meantime
  locate: (settings) => ({ address: locate(settings).address }),
  openPort: (settings, context, signal) => LaserPort.open(settings, context, signal),
  openDevice,
  probe,
}

async function openDevice(port: LaserPort, settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<DeviceHandle> {
  const { link, watchdogSeconds } = locate(settings)
  if (link.name !== port.link.name) throw new InvalidValue(`${port.address} is open as ${port.link.name}`, ['link'])
  return await port.line.exchange(
    'command',
    async (line) => {
      await line.send('') // ends whatever half a command somebody left in the laser
      await line.pause(link.afterSetMs)
      const identity = await line.ask(ask.identity, ANY_IDENTITY)
      if (!IDENTITY.test(identity)) throw new HardwareFault(`${port.address} answers ${JSON.stringify(identity)}, which is not a Mai Tai`, 'NONE')
      const range = await askRange(line, port.address)
      const watchdog = await Watchdog.arm(line, watchdogSeconds, link.afterSetMs)
      if (watchdog.refused) context.log(`${port.address}: the laser did not take its watchdog of ${watchdogSeconds} s; is the front panel in LOCAL?`)
      else if (!watchdog.tells) context.log(`${port.address}: the laser does not tell whether it took its watchdog of ${watchdogSeconds} s`)
      return new LaserDevice(port, { identity, range, watchdog })
    },
    signal,
  )
}

async function askRange(line: Exchange, address: string): Promise<Range> {
  const limit = async (question: string): Promise<number> => {
    let reply = ''
    for (let asked = 0; asked < LIMIT_ASKS; asked += 1) {
      reply = await line.ask(question, NANOMETRES)
      const nanometres = parseNanometres(reply)
      if (nanometres !== undefined) return nanometres
    }
    throw new HardwareFault(`${address} answers ${question} with ${JSON.stringify(reply)}, which is not a wavelength`, 'NONE')
  }
  return { minimum: await limit(ask.minimum), maximum: await limit(ask.maximum) }
}
