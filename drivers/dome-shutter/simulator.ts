import { clockOf, hostOf, Served } from '../simulation/serve-simulation.ts'
import type { Simulation } from '../simulation/simulation.ts'
import { SimulatedModule } from './simulated-module.ts'
import { SimulatedShutter } from './simulated-shutter.ts'

/** The driver's own waits, which go as much faster as the shutter does. */
const WAITS = { powerUp: 2, directionSettles: 0.3, poll: 0.5, travelLimit: 90, cooldown: 10 }

export const simulation: Simulation = {
  driverId: 'dome-shutter',
  description: 'A dome shutter of 12 s on one Shelly module over HTTP: four switches, two inputs. It is closed.',
  start: async (options) => {
    const { timeFactor = 1 } = options
    const module = new SimulatedModule({
      shutter: new SimulatedShutter(),
      host: hostOf(options),
      seconds: clockOf(options),
      timeFactor,
      port: options.port ?? 0,
    })
    await module.plugIn()
    const devices = [timeFactor === 1 ? {} : Object.fromEntries(Object.entries(WAITS).map(([name, seconds]) => [name, seconds / timeFactor]))]
    return new Served({ kind: 'tcp', host: '127.0.0.1', port: module.port }, devices, module, module)
  },
}
