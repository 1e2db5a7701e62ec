import { openDatabase } from '../../../../prisma/client.ts'
import { openJournal } from '../../../../workers/station/journal/journal.ts'
import { startShipper } from '../../../../workers/station/journal/shipper.ts'

/** A station that measures and ships until the test kills it. */
const [folder = '', url = '', stationId = '', deviceId = ''] = process.argv.slice(2)
const journal = await openJournal(folder, { log: () => undefined, firstSequence: 1, segmentBytes: 50_000 })
const database = openDatabase(url, { onError: () => undefined })
const shipper = startShipper({ journal, database, stationId, log: () => undefined })
for (let round = 0; ; round += 1) {
  for (let one = 0; one < 20; one += 1) {
    const time = BigInt(journal.last + 1)
    journal.append({ type: 'samples', samples: [{ deviceId, parameter: 'power', reading: { time, quality: 'GOOD', value: Number(time) } }] })
    journal.append({ type: 'event', event: { time: time + 1n, kind: 'DEVICE', deviceId, summary: `event ${time + 1n}` } })
  }
  await journal.flush()
  if (round % 5 === 4) await shipper.caughtUp(new AbortController().signal)
  process.stdout.write(`${journal.last}\n`)
}
