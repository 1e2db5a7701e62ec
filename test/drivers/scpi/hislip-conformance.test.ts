import { describe, test } from 'vitest'
import { SimulatedHislip } from '../../../drivers/scpi/hislip/server.ts'
import { PowerSupply } from '../../../drivers/scpi/simulated/power-supply.ts'
import { ScpiInstrument } from '../../../drivers/scpi/simulated/scpi-instrument.ts'
import { hostOf } from '../../../drivers/simulation/serve-simulation.ts'
import type { RunningSimulation, Simulation } from '../../../drivers/simulation/simulation.ts'
import { CHECKS, FAULT_CHECKS } from '../conformance/checks.ts'
import { startSimulated } from '../conformance/instrument.ts'

const TIMEOUT_MS = 120_000 // most of it is waiting for answers that never come, beside the others
const SLOW = /tells every documented error|says nothing/ // the same on every transport, and looked at over TCP

/** The supply with HiSLIP in place of its raw socket: the driver is the same. */
const overHislip: Simulation = {
  driverId: 'keysight-e36312a',
  description: 'the supply over HiSLIP',
  start: async (options): Promise<RunningSimulation> => {
    const instrument = new ScpiInstrument(hostOf(options), new PowerSupply(hostOf(options)))
    const line = new SimulatedHislip({ instrument, host: '127.0.0.1', port: 0, seconds: () => performance.now() / 1000 })
    await line.plugIn()
    return {
      entry: { kind: 'hislip', host: '127.0.0.1', port: line.port, name: 'hislip0' },
      devices: ['1', '2', '3'].map((output) => ({ output })),
      errors: instrument.errors,
      inject: (...faults) => line.inject(...faults),
      get faultsLeft() {
        return line.faultsLeft
      },
      unplug: () => line.unplug(),
      plugIn: () => line.plugIn(),
      [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
    }
  },
}

describe.concurrent('what every instrument must do, over HiSLIP', { timeout: TIMEOUT_MS }, () => {
  for (const check of [...CHECKS, ...FAULT_CHECKS].filter(({ name }) => !SLOW.test(name)))
    test(check.name, () => check.run((pace) => startSimulated(overHislip, pace)))
})
