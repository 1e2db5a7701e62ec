import { DRIVERS } from '../../drivers/catalog.ts'
import { runChild } from '../../link/child.ts'
import { readStationConfig } from '../config.ts'
import { openLogger } from '../logger.ts'
import { startStation } from './station.ts'

await runChild(
  async () => {
    const config = readStationConfig(process.env)
    return await startStation(config, { catalog: DRIVERS, logger: openLogger(`station ${config.stationName}`, config.logLevel) })
  },
  (line) => process.stderr.write(`station: ${line}\n`),
)
