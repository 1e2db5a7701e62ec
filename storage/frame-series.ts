import type { DatasetColumn } from '../core/dataset.ts'
import type { Roi } from '../core/device.ts'
import { createReducer } from '../core/reduce.ts'
import type { RowCell } from '../core/row.ts'
import { END_OF_STREAM, frameMetadata } from './arrow-message.ts'
import { encodeSchema, schemaOf } from './arrow-schema.ts'
import { ColumnBuffer } from './column-buffer.ts'
import { numberAt } from './column-chunk.ts'
import type { ColumnSeries } from './dataset.ts'
import { csvHead, csvRows } from './formats/csv.ts'
import type { FrameFile } from './frame-file.ts'
import { cellsOf } from './frame-table.ts'
import { npyHeader, npyPart } from './npy.ts'
import { checkedFrames, type FrameRange, type FrameReduction, type RoiNumbers, reductionOf } from './roi-series.ts'
import { encodeBatch } from './table-batch.ts'
import { chunkIn, columnNamed } from './table-file.ts'

/** Numbers of a region (readRoiSeries) as people ask for them: a curve of some points, or every number with what stands beside its frame. */

export type FrameSeriesRequest = {
  readonly reduce: FrameReduction
  readonly range: FrameRange
  readonly maxPoints: number
  /** The column that gives x (times in seconds since 1970); absent: the number of the frame. */
  readonly x?: string | undefined
}

/** A curve of at most maxPoints points: both extremes of each of maxPoints/2 buckets, as a column of a table is drawn, so that no flash is lost. */
export async function readFrameSeries(file: FrameFile, { reduce, range, maxPoints, x }: FrameSeriesRequest, numbers: Numbers): Promise<ColumnSeries> {
  const { frames } = checkedFrames(range, await file.count())
  const reducer = createReducer('MIN_MAX', frames, maxPoints)
  const column = x === undefined ? undefined : columnNamed(file.columns, x)
  for await (const some of numbers) {
    const xs = column === undefined ? undefined : await numbersOf(file, column, some)
    for (const [at, point] of some.entries()) reducer.push(xs === undefined ? point.index : (xs[at] ?? Number.NaN), reductionOf(point, reduce))
  }
  const { x: xs, values } = reducer.finish()
  return { column: `frame ${reduce.toLowerCase()}`, unit: '{count}', x: xs, values, reducedFrom: frames }
}

type Numbers = AsyncIterable<readonly RoiNumbers[]>

async function numbersOf(file: FrameFile, column: DatasetColumn, points: readonly RoiNumbers[]): Promise<readonly number[]> {
  const at = file.columns.indexOf(column)
  const buffer = new ColumnBuffer(column)
  for (const cells of await cellsOf(
    file,
    points.map(({ index }) => index),
  ))
    buffer.push(cells[at] ?? null)
  const [chunk] = chunkOf([buffer], points.length).columns
  return points.map((_, row) => (chunk === undefined ? Number.NaN : numberAt(chunk, row)))
}

const NUMBER_COLUMNS: readonly DatasetColumn[] = [
  { name: 'index', type: 'int64' },
  ...['minimum', 'maximum', 'mean', 'sum'].map((name): DatasetColumn => ({ name, type: 'float64', unit: '{count}' })),
]
/** Of the frame's own columns: those that say which it is. */
const LABELS = ['sequence', 'time']

/** Every number, as CSV or as an Arrow IPC stream, with sequence and time of each frame. */
export async function* readFrameNumbers(file: FrameFile, form: 'csv' | 'arrow', roi: Roi | undefined, numbers: Numbers): AsyncGenerator<Uint8Array> {
  const labels = LABELS.map((name) => columnNamed(file.columns, name))
  const columns = [...labels, ...NUMBER_COLUMNS]
  const text = new TextEncoder()
  yield form === 'csv' ? text.encode(csvHead(columns)) : frameMetadata(encodeSchema(schemaOf(columns, roi === undefined ? {} : { roi: JSON.stringify(roi) })))
  for await (const some of numbers) {
    const buffers = columns.map((column) => new ColumnBuffer(column))
    const cells = await cellsOf(
      file,
      some.map(({ index }) => index),
    )
    for (const [at, { index, minimum, maximum, mean, sum }] of some.entries()) {
      const row: readonly RowCell[] = [...labels.map((label) => cells[at]?.[file.columns.indexOf(label)] ?? null), BigInt(index), minimum, maximum, mean, sum]
      for (const [place, buffer] of buffers.entries()) buffer.push(row[place] ?? null)
    }
    yield form === 'csv' ? text.encode(csvRows(chunkOf(buffers, some.length))) : encodeBatch(buffers).bytes
  }
  if (form === 'arrow') yield END_OF_STREAM
}

const NPY_NUMBERS = 4 // minimum, maximum, mean, sum

/** How long the .npy file of the numbers of so many frames is. */
export function seriesNpyBytes(frames: number): number {
  return seriesHeader(frames).byteLength + frames * NPY_NUMBERS * Float64Array.BYTES_PER_ELEMENT
}

/** Bytes first up to and with last of it: a row of minimum, maximum, mean and sum a frame. `numbers` are those of `count` frames of the range, from its `start`-th on. */
export function readSeriesNpy(frames: number, first: number, last: number, numbers: (start: number, count: number) => Numbers): AsyncGenerator<Uint8Array> {
  return npyPart(seriesHeader(frames), NPY_NUMBERS * Float64Array.BYTES_PER_ELEMENT, { first, last }, async function* (start, count) {
    for await (const some of numbers(start, count))
      yield new Uint8Array(Float64Array.from(some.flatMap(({ minimum, maximum, mean, sum }) => [minimum, maximum, mean, sum])).buffer)
  })
}

function seriesHeader(frames: number): Uint8Array {
  return npyHeader([frames, NPY_NUMBERS], 'f8')
}

function chunkOf(buffers: readonly ColumnBuffer[], rows: number) {
  const { bytes, headBytes } = encodeBatch(buffers)
  return chunkIn(
    bytes,
    { headBytes, firstRow: 0, rows },
    buffers.map(({ column }) => column),
  )
}
