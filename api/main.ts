import { join } from 'node:path'
import { pino } from 'pino'
import { runChild } from '../link/child.ts'
import { readConfig } from './config.ts'
import { startApi } from './server.ts'

await runChild(
  async (signal) => {
    const config = readConfig(process.env)
    const log = pino({ name: 'api', level: config.logLevel })
    return startApi(config, { log, webFolder: join(import.meta.dirname, '..', 'web') }, signal)
  },
  (line) => void process.stderr.write(`${line}\n`),
)
