import { openCatalog } from '../../drivers/open-catalog.ts'
import { surviveErrorsOfPlugins } from '../../drivers/plugins/stray-errors.ts'
import { runChild } from '../../link/child.ts'
import { readStationConfig } from '../config.ts'
import { openLogger } from '../logger.ts'
import { startStation } from './station.ts'

await runChild(
  async () => {
    const config = readStationConfig(process.env)
    const logger = openLogger(`station ${config.stationName}`, config.logLevel)
    const catalog = await openCatalog({ ...config, log: (line) => logger.info(line), warn: (line) => logger.warn(line) })
    const surviving = surviveErrorsOfPlugins(catalog.culprits, (error) => process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`))
    try {
      const station = await startStation(config, { catalog, logger })
      return {
        async [Symbol.asyncDispose]() {
          await station[Symbol.asyncDispose]()
          surviving[Symbol.dispose]()
          await catalog[Symbol.asyncDispose]()
        },
      }
    } catch (error) {
      await catalog[Symbol.asyncDispose]()
      throw error
    }
  },
  (line) => process.stderr.write(`station: ${line}\n`),
)
