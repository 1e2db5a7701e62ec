import { DRIVERS } from '../../drivers/catalog.ts'
import { catalogOf, listed } from '../../drivers/driver-catalog.ts'
import { runChild } from '../../link/child.ts'
import { readStationConfig } from '../config.ts'
import { openLogger } from '../logger.ts'
import { startStation } from './station.ts'

await runChild(
  async () => {
    const config = readStationConfig(process.env)
    return await startStation(config, {
      catalog: catalogOf([listed('built-in drivers', DRIVERS)]),
      logger: openLogger(`station ${config.stationName}`, config.logLevel),
    })
  },
  (line) => process.stderr.write(`station: ${line}\n`),
)
