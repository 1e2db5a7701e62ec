import { GraphQLError } from 'graphql'
import type { Context } from '../context.ts'
import { decodeCursorOf } from '../cursor.ts'
import type { ReadingBatch } from './reading-batch.ts'
import { everyReading } from './readings-every.ts'
import { latestReadings } from './readings-latest.ts'
import { Selection, type SelectorGiven } from './selection.ts'
import type { LiveSource } from './source.ts'

export type ReadingsRequest = {
  readonly select: readonly SelectorGiven[]
  readonly delivery: 'LATEST' | 'EVERY'
  readonly maxRateHz: number
  readonly after: string | undefined
}

const MAX_RATE_HZ = 1_000 // of LATEST; whoever needs each value asks for EVERY

export async function readingsSource({ select, delivery, maxRateHz, after }: ReadingsRequest, context: Context): Promise<LiveSource<ReadingBatch>> {
  if (!(maxRateHz > 0 && maxRateHz <= MAX_RATE_HZ))
    throw new GraphQLError(`maxRateHz: ${maxRateHz} is not allowed; give more than 0 and at most ${MAX_RATE_HZ}`, { extensions: { code: 'BAD_USER_INPUT' } })
  const selection = await Selection.of(select, context)
  const positions = after === undefined ? undefined : decodeCursorOf('stations', after).stations
  return delivery === 'EVERY' ? everyReading(selection, positions, context.stations) : latestReadings(selection, positions, maxRateHz, context.stations)
}
