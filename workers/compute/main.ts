import { runChild } from '../../link/child.ts'
import { readWorkerConfig } from '../config.ts'
import { openLogger } from '../logger.ts'
import { startCompute } from './compute.ts'

await runChild(
  async () => {
    const config = readWorkerConfig(process.env)
    const logger = openLogger('compute', config.logLevel)
    return await startCompute(config, { log: (line) => logger.info(line) })
  },
  (line) => process.stderr.write(`compute: ${line}\n`),
)
