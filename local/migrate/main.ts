import { CannotStart, EXIT_CANNOT_START } from '../../link/child.ts'
import { checkDatabase } from '../backends.ts'
import { readConfig } from '../config.ts'
import { prepareDatabase } from '../prepare-database.ts'

/** One shot, where the processes run without a supervisor: everything else starts after it. */

const say = (line: string): void => void process.stderr.write(`migrate: ${line}\n`)

try {
  const config = readConfig(process.env, process.cwd())
  if (config.databaseUrl === undefined) throw new CannotStart('DATABASE_URL is not set; it names the server whose database is to be brought up to date')
  await checkDatabase(config.databaseUrl)
  await prepareDatabase(config.databaseUrl, config, say)
} catch (error) {
  say(error instanceof CannotStart ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.exitCode = error instanceof CannotStart ? EXIT_CANNOT_START : 1
}
