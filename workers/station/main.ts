import { openCatalog } from '../../drivers/catalog/open-catalog.ts'
import { type Culprit, surviveErrorsOfPlugins } from '../../drivers/plugins/stray-errors.ts'
import { runChild } from '../../link/child.ts'
import { readStationConfig } from '../config.ts'
import { openLogger } from '../logger.ts'
import { startStation } from './station.ts'

const say = (line: string): void => void process.stderr.write(`station: ${line}\n`)

await runChild(async () => {
  let culprits: () => readonly Culprit[] = () => []
  surviveErrorsOfPlugins(
    () => culprits(),
    (error) => say(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  )
  const config = readStationConfig(process.env)
  const logger = openLogger(`station ${config.stationName}`, config.logLevel)
  const catalog = await openCatalog({ ...config, log: (line) => logger.info(line), warn: (line) => logger.warn(line) })
  culprits = catalog.culprits
  try {
    const station = await startStation(config, { catalog, logger })
    return {
      async [Symbol.asyncDispose]() {
        await station[Symbol.asyncDispose]()
        await catalog[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await catalog[Symbol.asyncDispose]()
    throw error
  }
}, say)
