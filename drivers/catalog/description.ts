import type { Driver } from '../driver.ts'
import { modbusFormat } from '../modbus/format.ts'
import { scpiFormat } from '../scpi/format.ts'
import type { Simulation } from '../simulation/simulation.ts'

/**
 * A kind of file that describes an instrument instead of code. Its files are `*.yaml` with `protocol: <protocol>` at the top; each is one driver,
 * whose id is the file's `id:`.
 */
export type DescriptionFormat = {
  /** What stands behind `protocol:`, e.g. "scpi". */
  readonly protocol: string
  /** Pure. Throws InvalidValue whose message starts with `<file>:<line>:<column>: `. `file` is only for messages. */
  readonly driverOf: (text: string, file: string) => Driver
  /** The described instrument, simulated as far as its description goes. Throws as driverOf. */
  readonly simulationOf?: (text: string, file: string) => Simulation
}

/** Every format there is, one for each protocol. */
export const DESCRIPTION_FORMATS: readonly DescriptionFormat[] = [modbusFormat, scpiFormat]
