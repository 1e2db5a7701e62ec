import { createTableWriter } from '../../storage/table-writer.ts'

/** Records until the disk refuses; prints how many rows were on it by then. Run with a limit on the size of files. */
async function main(file: string): Promise<void> {
  const writer = await createTableWriter(file, [
    { name: 'n', type: 'int64' },
    { name: 'text', type: 'utf8' },
  ])
  let flushed = 0
  let refused = ''
  try {
    for (let index = 0; index < 1_000_000; index += 1) {
      writer.append([index, 'x'.repeat(100)])
      if (index % 500 !== 499) continue
      await writer.flush()
      flushed = writer.rows
    }
  } catch (error) {
    refused = String(error)
  }
  const after = await writer.close().then(() => 'closed', String)
  process.stdout.write(JSON.stringify({ flushed, refused, after }))
}

void main(process.argv[2] ?? '')
