import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { connectQueue } from '../../link/queue-backend.ts'
import { startEmptyDatabase } from '../harness/database.ts'
import { severable } from '../harness/severable.ts'

it('a database that goes away while a queue gets ready fails the queue, not the process', async () => {
  const database = await startEmptyDatabase()
  await using way = await severable(database.url)
  const fails = async (afterMs: number): Promise<boolean> => {
    await way.mend()
    const outcome = connectQueue('export', { databaseUrl: way.url }, () => undefined).then(
      (queue) => queue.close().then(() => false),
      () => true,
    )
    await pause(afterMs) // the moment of the cut is what is tried here: connecting, making the tables, listening
    await way.cut()
    return outcome
  }
  const outcomes: boolean[] = []
  for (let afterMs = 0; afterMs < 60; afterMs += 2) outcomes.push(await fails(afterMs))
  expect(outcomes).toContain(true)
  await database.stop()
})
