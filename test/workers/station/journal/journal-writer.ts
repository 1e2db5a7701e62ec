import { openJournal } from '../../../../workers/station/journal/journal.ts'

/** A station's journal in a process that the test kills: says on stdout which sequence flush() has acknowledged. */
const [folder = '', segmentBytes = ''] = process.argv.slice(2)
const journal = await openJournal(folder, { log: () => undefined, firstSequence: 1, segmentBytes: Number(segmentBytes) })
for (let number = journal.last; ; number += 5) {
  for (let one = 1; one <= 5; one += 1)
    journal.append({ type: 'event', event: { time: BigInt(number + one), kind: 'DEVICE', summary: 'x'.repeat((number + one) % 3000) } })
  await journal.flush()
  process.stdout.write(`${journal.last}\n`)
}
