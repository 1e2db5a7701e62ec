import { type Logger, pino } from 'pino'
import { logLineForPeople } from '../core/log-line.ts'

export type { Logger }

/** On the standard output: lines for a person at a terminal, else JSON lines; the supervisor or the container keeps them. */
export function openLogger(name: string, level: string): Logger {
  const options = { level, base: { name, pid: process.pid } }
  return process.stdout.isTTY ? pino(options, { write: (json) => process.stdout.write(logLineForPeople(json)) }) : pino(options)
}
