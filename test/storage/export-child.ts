import type { DatasetKind } from '../../core/dataset.ts'
import { createFileSink } from '../../storage/file-sink.ts'
import { formatNamed } from '../../storage/formats/index.ts'

/** Exports one file and prints by how many bytes its resident memory grew: run in a process of its own, with a small heap. */
async function main([format = '', kind = '', source = '', target = '']: readonly string[]): Promise<void> {
  const before = process.memoryUsage.rss()
  const started = performance.now()
  await using sink = await createFileSink(target)
  const options = { signal: new AbortController().signal, progress: () => undefined }
  await formatNamed(format).write({ kind: kind as DatasetKind, file: source }, sink, options)
  const { bytes } = await sink.finish()
  const grownBytes = process.resourceUsage().maxRSS * 1024 - before
  process.stdout.write(JSON.stringify({ bytes, grownBytes, milliseconds: Math.round(performance.now() - started) }))
}

void main(process.argv.slice(2))
