import { type Logger, pino } from 'pino'

export type { Logger }

/** JSON lines on the standard output; the supervisor or the container keeps them. */
export function openLogger(name: string, level: string): Logger {
  return pino({ name, level, base: { name, pid: process.pid } })
}
