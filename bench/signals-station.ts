import { catalogOf, listed } from '../drivers/catalog/driver-catalog.ts'
import { runChild } from '../link/child.ts'
import { readStationConfig } from '../workers/config.ts'
import { openLogger } from '../workers/logger.ts'
import { startStation } from '../workers/station/station.ts'
import { signalsDriver } from './signals-driver.ts'

/** A real station whose only instrument is the benchmark's source: SIGNALS parameters, each read every SIGNALS_EVERY_MS. */
await runChild(
  async () => {
    const config = readStationConfig(process.env)
    const driver = signalsDriver(Number(process.env['SIGNALS']), Number(process.env['SIGNALS_EVERY_MS']))
    return await startStation(config, { catalog: catalogOf([listed('bench', [driver])]), logger: openLogger('bench station', config.logLevel) })
  },
  (line) => process.stderr.write(`${line}\n`),
)
