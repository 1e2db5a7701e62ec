import { join } from 'node:path'
import { runChild } from '../link/child.ts'
import { readConfig } from './config.ts'
import { createLog } from './log.ts'
import { startApi } from './server.ts'

await runChild(
  async (signal) => {
    const config = readConfig(process.env)
    const log = createLog(config.logLevel)
    return startApi(config, { log, webFolder: join(import.meta.dirname, '..', 'web') }, signal)
  },
  (line) => void process.stderr.write(`${line}\n`),
)
