import { type Logger, pino } from 'pino'
import { logLineForPeople } from '../core/log-line.ts'

export type { Logger } from 'pino'

/** On standard output: lines for a person at a terminal, else lines of JSON. */
export function createLog(level: string): Logger {
  const options = { level, base: { name: 'api', pid: process.pid } }
  return process.stdout.isTTY ? pino(options, { write: (json) => process.stdout.write(logLineForPeople(json)) }) : pino(options)
}
