import { mapRing, RingReader } from '../native/files.ts'

/** Reads every frame of a ring that another process writes, from the beginning to its end; a line of JSON says what it saw. Argument: the ring. */
await using ring = mapRing(process.argv[2] ?? '')
const reader = new RingReader(ring, 0n, new Uint16Array(ring.width * ring.height))
process.stdout.write('ready\n')
let read = 0
let firstMs: number | undefined
for await (const { pixels, index } of reader.frames()) {
  firstMs ??= performance.now()
  if (pixels[1] !== ((1 + 7 * Number(index)) & 0xffff)) throw new Error(`frame ${index} is not what was written`)
  read += 1
}
const seconds = (performance.now() - (firstMs ?? 0)) / 1000
process.stdout.write(`${JSON.stringify({ read, lost: Number(reader.lost), void: 0, seconds })}\n`)
