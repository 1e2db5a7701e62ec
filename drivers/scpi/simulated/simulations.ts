import { hostOf, serveSocket, serveTerminal } from '../../simulation/serve-simulation.ts'
import type { Simulation } from '../../simulation/simulation.ts'
import { Multimeter } from './multimeter.ts'
import { PowerSupply } from './power-supply.ts'
import { ScpiInstrument } from './scpi-instrument.ts'
import { TemperatureController } from './temperature-controller.ts'

const LAN_ANSWER_MS = 1 // a bench instrument's own time for an answer that needs no measurement
const TERMINATOR = '\n'

export const multimeter: Simulation = {
  driverId: 'keysight-34461a',
  description: 'a multimeter at a drifting reference of 10 V, or a resistor of 1 kOhm; a reading takes its integration time',
  start: async (options) => {
    const model = new Multimeter(hostOf(options), { pace: options.lineFactor ?? 1 })
    const instrument = new ScpiInstrument(hostOf(options), model)
    return await serveSocket({ instrument, terminator: TERMINATOR, answerMs: LAN_ANSWER_MS, devices: [{}] }, options)
  },
}

export const powerSupply: Simulation = {
  driverId: 'keysight-e36312a',
  description: 'a supply with a resistor on each of its three outputs (10, 100 and 47 Ohm)',
  start: async (options) => {
    const instrument = new ScpiInstrument(hostOf(options), new PowerSupply(hostOf(options)))
    const devices = ['1', '2', '3'].map((output) => ({ output }))
    return await serveSocket({ instrument, terminator: TERMINATOR, answerMs: LAN_ANSWER_MS, devices }, options)
  },
}

export const temperatureController: Simulation = {
  driverId: 'lakeshore-336',
  description: 'a temperature controller with two loops on a cryostat that cools to 4 K; input D is open',
  start: async (options) => {
    const instrument = new TemperatureController(hostOf(options))
    return await serveTerminal({ instrument, baudRate: 57_600, devices: [{}] }, options)
  },
}
