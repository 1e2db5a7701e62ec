import path from 'node:path'
import { runChild, STOP_DEADLINE_MS } from '../../link/child.ts'
import { readConfig } from '../config.ts'
import { lockFolder } from '../folder-lock.ts'
import { startEmbeddedDatabase } from './embedded-database.ts'

const say = (line: string): void => void process.stderr.write(`database: ${line}\n`)

await runChild(async () => {
  const config = readConfig(process.env, process.cwd())
  const dataDir = path.join(config.dataDir, 'database')
  const lock = await lockFolder(dataDir, { waitMs: STOP_DEADLINE_MS }) // a database whose supervisor was killed takes a moment to close
  const database = await startEmbeddedDatabase({ dataDir, socketFolder: config.databaseSocketFolder, say })
  return {
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      await lock[Symbol.asyncDispose]()
    },
  }
}, say)
