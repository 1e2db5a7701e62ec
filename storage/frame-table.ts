import type { RowCell } from '../core/row.ts'
import { ColumnBuffer } from './column-buffer.ts'
import { type FrameFile, openFrameFile } from './frame-file.ts'
import { encodeBatch } from './table-batch.ts'
import { chunkIn, columnNamed, type TableFile } from './table-file.ts'

const CHUNK_FRAMES = 1_024
const READS_AT_ONCE = 32 // small ones, spread over the file: the disk likes to have several

/** The columns beside the pixels of a recording of frames, as a table: one row a frame. The pixels are not read. */
export async function openFrameTable(path: string): Promise<TableFile> {
  const file = await openFrameFile(path)
  try {
    const rows = await file.count()
    const { columns } = file
    return {
      columns,
      metadata: Object.fromEntries(file.metadata),
      rows,
      ended: false,
      async *read(names, range, signal) {
        const places = names.map((name) => columns.indexOf(columnNamed(columns, name)))
        const wanted = names.map((name) => columnNamed(columns, name))
        const end = Math.min(rows, range.to)
        for (let first = Math.max(0, range.from); first < end; first += CHUNK_FRAMES) {
          signal?.throwIfAborted()
          const buffers = wanted.map((column) => new ColumnBuffer(column))
          const indices = Array.from({ length: Math.min(CHUNK_FRAMES, end - first) }, (_, at) => first + at)
          for (const cells of await cellsOf(file, indices)) for (const [at, buffer] of buffers.entries()) buffer.push(cells[places[at] ?? 0] ?? null)
          const { bytes, headBytes } = encodeBatch(buffers)
          yield chunkIn(bytes, { headBytes, firstRow: first, rows: indices.length }, wanted)
        }
      },
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    }
  } catch (error) {
    await file[Symbol.asyncDispose]()
    throw error
  }
}

/** FrameFile.cells of many frames, several at a time. */
export async function cellsOf(file: FrameFile, indices: readonly number[]): Promise<readonly (readonly RowCell[])[]> {
  const rows: (readonly RowCell[])[] = []
  for (let at = 0; at < indices.length; at += READS_AT_ONCE)
    rows.push(...(await Promise.all(indices.slice(at, at + READS_AT_ONCE).map((index) => file.cells(index)))))
  return rows
}
