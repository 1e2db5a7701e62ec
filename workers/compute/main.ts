import { DRIVERS } from '../../drivers/catalog.ts'
import { openGraph } from '../../graph/open.ts'
import { runChild } from '../../link/child.ts'
import { readComputeConfig } from '../config.ts'
import { startProjection } from '../graph/projection.ts'
import { openLogger } from '../logger.ts'
import { startCompute } from './compute.ts'
import { listenForProbes } from './probe.ts'

await runChild(
  async () => {
    const config = readComputeConfig(process.env)
    const logger = openLogger('compute', config.logLevel)
    const log = (line: string): void => logger.info(line)
    const compute = await startCompute(config, { log })
    const store = openGraph(config.graph)
    const projection = startProjection({ databaseUrl: config.databaseUrl, store, drivers: DRIVERS, log })
    const probes = config.probePort === undefined ? [] : [await listenForProbes(config.probePort, () => (compute.online ? undefined : 'the queue is away'))]
    return {
      async [Symbol.asyncDispose]() {
        for (const part of [...probes, projection, store, compute]) await part[Symbol.asyncDispose]()
      },
    }
  },
  (line) => process.stderr.write(`compute: ${line}\n`),
)
