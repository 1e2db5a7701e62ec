import { hostOf, serveRegisters } from '../simulation/serve-simulation.ts'
import { serveRtu } from '../simulation/simulated-rtu.ts'
import type { Simulation } from '../simulation/simulation.ts'
import type { Profile } from './profile.ts'
import { ProfileSimulator } from './profile-simulator.ts'
import { readProfile } from './read-profile.ts'

const ANSWER_MS = 5 // a controller's cycle

/** The device of a profile's text, simulated. Throws InvalidValue as readProfile. */
export function profileSimulation(text: string, file: string): Simulation {
  return simulationOf(readProfile(text, file).profile({}))
}

/** On a Modbus TCP port, or where the device knows no TCP, on an RTU line. */
export function simulationOf(profile: Profile): Simulation {
  return {
    driverId: profile.id,
    description: `Registers of ${profile.vendor} ${profile.model} as its profile describes them, which keep what is written to them`,
    start: async (options) => {
      const instrument = new ProfileSimulator(profile, hostOf(options))
      if (profile.connection.over.includes('tcp')) return await serveRegisters({ instrument, answerMs: ANSWER_MS, devices: [{}] }, options)
      const { baudRate, unit } = profile.connection
      return await serveRtu(
        { units: new Map([[unit, instrument]]), baudRate, bitsPerCharacter: charactersOf(profile), answerMs: ANSWER_MS, devices: [{}] },
        options,
      )
    },
  }
}

function charactersOf({ connection }: Profile): number {
  return 9 + (connection.parity === 'none' ? 0 : 1) + connection.stopBits
}
