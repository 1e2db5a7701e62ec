import { join } from 'node:path'
import { FRAMES_FILE } from '../core/dataset.ts'
import type { Roi } from '../core/device.ts'
import { Conflict, DeadlineExceeded, NotFound, NotSupported, Problem } from '../core/errors.ts'
import type { ColumnSeries } from '../storage/dataset.ts'
import { type FrameFile, openFrameFile } from '../storage/frame-file.ts'
import { readFrameSeries } from '../storage/frame-series.ts'
import { type FrameSlice, type SliceRequest, sliceOf } from '../storage/frame-slice.ts'
import { checkedFrames, type FrameRange, type FrameReduction, readRoiSeries } from '../storage/roi-series.ts'
import { badCursor, type Connection, checkedFirst, decodeCursor, encodeCursor, type PageArgs } from './connection.ts'
import type { Context } from './context.ts'
import type { Dataset } from './loaders.ts'

/** Reads the recordings of frames that lie below this api's DATA_DIR; what a GraphQL field needs of them. */

export async function openRecording({ kind, state, folder, name }: Pick<Dataset, 'kind' | 'state' | 'folder' | 'name'>, dataDir: string): Promise<FrameFile> {
  if (kind !== 'FRAMES') throw new NotSupported(`dataset ${name} is a table, it has no frames`)
  if (state === 'ARCHIVED') throw new Conflict(`dataset ${name} is archived; its files are not here`)
  try {
    return await openFrameFile(join(dataDir, folder, FRAMES_FILE))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw new NotFound(`recording of dataset ${name} on this host`)
    throw error
  }
}

export type FrameSource = {
  readonly datasetId: string
  readonly index: number
  readonly sequence: number
  readonly time: bigint
  readonly width: number
  readonly height: number
  readonly dtype: 'uint16'
}

/** null beyond the last frame. */
export async function frameAt(dataset: Dataset, index: number, { config }: Context): Promise<FrameSource | null> {
  await using file = await openRecording(dataset, config.dataDir)
  try {
    return await sourceOf(dataset, file, index)
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

/** The cursor is the number of the frame. */
export async function framesOf(dataset: Dataset, args: PageArgs, { config }: Context): Promise<Connection<FrameSource>> {
  const first = checkedFirst(args.first)
  const from = args.after == null ? 0 : frameAfter(args.after)
  await using file = await openRecording(dataset, config.dataDir)
  const count = await file.count()
  const indices = Array.from({ length: Math.max(0, Math.min(first, count - from)) }, (_, at) => from + at)
  const sources = await Promise.all(indices.map((index) => sourceOf(dataset, file, index)))
  const edges = sources.map((node) => ({ node, cursor: encodeCursor([node.index]) }))
  return {
    edges,
    pageInfo: {
      hasNextPage: from + edges.length < count,
      hasPreviousPage: from > 0,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: async () => count,
  }
}

function frameAfter(cursor: string): number {
  const [index] = decodeCursor(cursor)
  if (typeof index !== 'number') throw badCursor(cursor)
  return index + 1
}

async function sourceOf({ id }: Dataset, file: FrameFile, index: number): Promise<FrameSource> {
  const { sequence, time } = await file.label(index)
  const { width, height } = file.layout
  return { index, sequence, time, width, height, dtype: 'uint16', datasetId: id }
}

export type SliceSource = FrameSlice & { readonly datasetId: string }

export async function sliceAt(dataset: Dataset, request: SliceRequest, { config }: Context): Promise<SliceSource> {
  await using file = await openRecording(dataset, config.dataDir)
  return { ...(await sliceOf(file, request)), datasetId: dataset.id }
}

/** Of one answer over GraphQL, for which somebody waits. */
const SERIES_BUDGET_MS = 20_000
const CHECK_BUDGET_MS = 10_000

export type FrameSeriesQuestion = {
  readonly roi: Roi | undefined
  readonly reduce: FrameReduction
  readonly range: FrameRange
  readonly x: string | undefined
  readonly maxPoints: number
}

/** Throws DeadlineExceeded, with how far it came and what else there is. */
export async function frameSeriesOf(
  dataset: Dataset,
  question: FrameSeriesQuestion,
  { config, readTurns, signal }: Pick<Context, 'config' | 'readTurns' | 'signal'>,
  budgetMs = SERIES_BUDGET_MS,
): Promise<ColumnSeries> {
  await using file = await openRecording(dataset, config.dataDir)
  const { frames } = checkedFrames(question.range, await file.count())
  const budget = AbortSignal.timeout(budgetMs)
  const until = signal === undefined ? budget : AbortSignal.any([budget, signal])
  let read = 0
  async function* counted() {
    for await (const some of readTurns.each(readRoiSeries(file, question.roi, question.range, until), until)) {
      yield some
      read += some.length
    }
  }
  try {
    return await readFrameSeries(file, question, counted())
  } catch (error) {
    if (!budget.aborted || error instanceof Problem) throw error
    const words = `${read} of ${frames} frames were read in ${budgetMs / 1000} s; ask for a range, for every so many-th frame (step), or take all of them from frameSeriesUrl`
    throw new DeadlineExceeded(words, budgetMs, 'NONE')
  }
}

export type FrameCheck = {
  readonly from: number
  /** The first frame that was not looked at. */
  readonly to: number
  readonly complete: boolean
  readonly damaged: readonly number[]
  readonly unknown: number
}

/** Reads frames and their checksums for as long as an answer may take. */
export async function checkFrames(dataset: Dataset, range: FrameRange, { config, readTurns, signal }: Context): Promise<FrameCheck> {
  await using file = await openRecording(dataset, config.dataDir)
  const { from, to } = checkedFrames(range, await file.count())
  const deadlineMs = performance.now() + CHECK_BUDGET_MS
  const damaged: number[] = []
  let unknown = 0
  let index = from
  for (; index < to && (index === from || performance.now() < deadlineMs); index += 1) {
    const sound = await readTurns.once(signal, () => soundness(file, index))
    if (sound === 'damaged') damaged.push(index)
    if (sound === 'unknown') unknown += 1
  }
  return { from, to: index, complete: index >= to, damaged, unknown }
}

async function soundness(file: FrameFile, index: number): Promise<'sound' | 'damaged' | 'unknown'> {
  try {
    await file.checkedFrame(index)
    return 'sound'
  } catch (error) {
    if (error instanceof Problem && error.code === 'HARDWARE_FAULT') return 'damaged'
    if (error instanceof Problem && error.code === 'NOT_FOUND') return 'unknown'
    throw error
  }
}
