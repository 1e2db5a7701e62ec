import { createRing } from '../../native/files.ts'

/** Writes the test pattern into a ring once it is told to by a line: what each reader of another process needs. Arguments: path, frames, rate in hertz. */
const [path = '', frames = '0', rateHz = '1'] = process.argv.slice(2)
await using ring = createRing({ path, width: 64, height: 48, slots: 8 })
process.stdout.write('ready\n')
for await (const _ of process.stdin) break
await ring.startTestPattern({ frames: Number(frames), rateHz: Number(rateHz) })
