import { GraphQLError } from 'graphql'
import type { Context } from '../context.ts'
import { type Health, labHealth } from '../health.ts'
import { pause } from './pause.ts'
import { type LiveSource, liveSource } from './source.ts'

const MIN_INTERVAL_MS = 250 // each look asks every station and the database
const MAX_INTERVAL_MS = 60_000

export function healthSource(intervalMs: number, context: Context): LiveSource<Health> {
  if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS)
    throw new GraphQLError(`intervalMs: ${intervalMs} is not allowed; give ${MIN_INTERVAL_MS} to ${MAX_INTERVAL_MS}`, {
      extensions: { code: 'BAD_USER_INPUT' },
    })
  let present: Health | undefined
  return liveSource({
    delivery: 'LATEST',
    joinable: true,
    present: () => present,
    async *run(signal) {
      while (!signal.aborted) {
        present = await labHealth(context)
        yield present
        await pause(intervalMs, signal)
      }
    },
  })
}
