import { openCatalog } from '../../drivers/catalog/open-catalog.ts'
import { type Culprit, surviveErrorsOfPlugins } from '../../drivers/plugins/stray-errors.ts'
import { openGraph } from '../../graph/open.ts'
import { runChild } from '../../link/child.ts'
import { readComputeConfig } from '../config.ts'
import { startProjection } from '../graph/projection.ts'
import { openLogger } from '../logger.ts'
import { startCompute } from './compute.ts'
import { listenForProbes } from './probe.ts'

const say = (line: string): void => void process.stderr.write(`compute: ${line}\n`)

await runChild(async () => {
  let culprits: () => readonly Culprit[] = () => []
  surviveErrorsOfPlugins(
    () => culprits(),
    (error) => say(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  )
  const config = readComputeConfig(process.env)
  const logger = openLogger('compute', config.logLevel)
  const log = (line: string): void => logger.info(line)
  const compute = await startCompute(config, { log })
  const store = openGraph(config.graph)
  // Only for what the devices of each driver can do; which of them is broken, the station tells.
  const catalog = await openCatalog({ ...config, log: () => undefined, warn: () => undefined })
  culprits = catalog.culprits
  const projection = startProjection({ databaseUrl: config.databaseUrl, store, catalog, log })
  const probes = config.probePort === undefined ? [] : [await listenForProbes(config.probePort, () => (compute.online ? undefined : 'the queue is away'))]
  return {
    async [Symbol.asyncDispose]() {
      for (const part of [...probes, projection, catalog, store, compute]) await part[Symbol.asyncDispose]()
    },
  }
}, say)
