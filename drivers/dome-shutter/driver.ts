import type { DeviceSettings } from '../../core/device.ts'
import { Problem } from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import { type Driver, type DriverContext, PROBE_WITHIN_MS, type Probed } from '../driver.ts'
import { ShutterModules, type Wiring } from './modules.ts'
import { locate, SETTINGS } from './settings.ts'
import { DomeShutter } from './shutter.ts'

/** The shutter of an observatory dome on Shelly modules: 24 V supply, motor, direction relays and end switches. */
export const domeShutter: Driver<ShutterModules> = {
  id: 'dome-shutter',
  vendor: 'DriftApp',
  model: 'dome shutter',
  version: '1.0.0',
  portKind: 'TCP',
  settings: SETTINGS,
  documentation:
    'Shutter on Shelly modules (second generation or later, RPC over HTTP, no authentication). A cycle asks every module, switches the supply on, waits, sets the ' +
    'direction with the motor off, gives the motor its time, looks at the end switches, and switches motor and supply off however it ends. The motor stops by ' +
    "its module's own timer if the station dies. A station that comes back, and an emergency stop, switch motor and supply off; neither moves the shutter.",
  capabilities: ['PARAMETERIZED', 'SETTABLE', 'SHUTTER_CONTROL', 'COMMANDABLE'],
  afterLostStation: 'MAKE_SAFE',

  locate: (settings) => ({ address: locate(settings).address }),

  openPort: async (settings, context, signal) => {
    const modules = new ShutterModules(await wiringOf(settings, context))
    await modules.identify(signal)
    return modules
  },

  openDevice: async (port, settings, _context, signal) => new DomeShutter(port, locate(settings), `dome shutter on ${await port.identify(signal)}`),

  probe: async (address, context, signal): Promise<readonly Probed[]> => {
    requireKind(await context.resolve(address), 'tcp', address)
    await using modules = new ShutterModules(await wiringOf({ address }, context))
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PROBE_WITHIN_MS)])
    try {
      const [identity] = await Promise.all([modules.identify(patience), modules.fits(patience)])
      return [{ identity: `dome shutter on ${identity}`, settings: { address } }]
    } catch (error) {
      if (error instanceof Problem && error.code !== 'DEVICE_OFFLINE') return []
      throw error
    }
  },
}

async function wiringOf(settings: DeviceSettings, context: DriverContext): Promise<Wiring> {
  const { address, modules, numbers } = locate(settings)
  const base = async (where: string): Promise<string> => {
    const { host, port } = requireKind(await context.resolve(where), 'tcp', where)
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  }
  const [supply, motor, direction, inputs] = await Promise.all([address, modules.motor, modules.direction, modules.inputs].map(base))
  if (supply === undefined || motor === undefined || direction === undefined || inputs === undefined) throw new Problem('INVALID_VALUE', 'a module is missing')
  return {
    supply: { base: supply, id: numbers.supply },
    motor: { base: motor, id: numbers.motor },
    direction: numbers.direction.map((id) => ({ base: direction, id })),
    openSwitch: { base: inputs, id: numbers.open },
    closedSwitch: { base: inputs, id: numbers.closed },
    pressed: numbers.pressed,
  }
}
