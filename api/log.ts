import { type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/** Lines of JSON on standard output. */
export function createLog(level: string): Logger {
  return pino({ name: 'api', level })
}
