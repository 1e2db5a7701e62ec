import type { Instrument, Pace, SimulatedInstrument } from './instrument.ts'

/** One thing that every driver must do. Each starts instruments of its own, so that all can run beside each other. */
export type Check = {
  readonly name: string
  readonly run: (start: (pace?: Pace) => Promise<Instrument>) => Promise<void>
  /** On a real instrument: LOOK changes nothing, MOVE sets, moves and stops it. */
  readonly onHardware: 'LOOK' | 'MOVE'
}

/** What only a simulated instrument can be asked to do: fail. */
export type FaultCheck = {
  readonly name: string
  readonly run: (start: (pace?: Pace) => Promise<SimulatedInstrument>) => Promise<void>
}
