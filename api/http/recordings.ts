import type { Request, Response } from 'express'
import { Router } from 'express'
import type { Roi } from '../../core/device.ts'
import { NotFound } from '../../core/errors.ts'
import { dateFromWallNs, formatRfc3339 } from '../../core/time.ts'
import type { FrameFile } from '../../storage/frame-file.ts'
import { checkedRegion, soundFrame } from '../../storage/frame-region.ts'
import { readFrameNumbers, readSeriesNpy, seriesNpyBytes } from '../../storage/frame-series.ts'
import { npyBytes, readArrow, readNpy, sliceOf } from '../../storage/frame-slice.ts'
import { npyHeader } from '../../storage/npy.ts'
import { renderPng } from '../../storage/png.ts'
import { checkedFrames, readRoiSeries } from '../../storage/roi-series.ts'
import type { Dataset } from '../loaders.ts'
import type { ReadTurns } from '../read-turns.ts'
import { openRecording } from '../recordings.ts'
import { pngOptions, rangeGiven, roiGiven, sliceGiven } from './recording-query.ts'
import { type About, sendBytes, sendRanges, sendStream, sentNotModified } from './send-file.ts'

/** What is taken out of a recording of frames: one frame, a block, numbers of a region. Mounted at a dataset's address; works while it is being recorded. */
export type RecordingsOptions = {
  readonly dataDir: string
  readonly turns: ReadTurns
  /** Throws NotFound. */
  readonly dataset: (id: string) => Promise<Dataset>
  readonly stallMs: number | undefined
}

const NPY = 'application/x-npy'
const ARROW_STREAM = 'application/vnd.apache.arrow.stream'
const SERIES_TYPES = { csv: 'text/csv; charset=utf-8; header=present', arrow: ARROW_STREAM, npy: NPY } as const
const FRAME_TYPES = { raw: 'application/octet-stream', npy: NPY, png: 'image/png' } as const
type FrameForm = keyof typeof FRAME_TYPES

export function createRecordingsRouter({ dataDir, turns, dataset, stallMs }: RecordingsOptions): Router {
  const router = Router({ mergeParams: true })

  router.get('/frames/:name', async (request: Request<{ id: string; name: string }>, response) => {
    const [, number, form] = /^(\d{1,15})\.(raw|npy|png)$/.exec(request.params.name) ?? []
    if (number === undefined) throw new NotFound(`frame ${request.params.name}; a frame is <index>.raw, <index>.npy or <index>.png`)
    const row = await dataset(request.params.id)
    await using file = await openRecording(row, dataDir)
    await sendFrame(request, response, row, file, Number(number), form as FrameForm)
  })

  async function sendFrame(request: Request, response: Response, row: Dataset, file: FrameFile, index: number, form: FrameForm): Promise<void> {
    const options = form === 'png' ? pngOptions(request, file.metadata) : undefined
    const { sequence, time } = await file.label(index)
    const key = options === undefined ? '' : `-${Object.values(options).join('-')}`
    const about: About = { ...aboutOf(row, `frame-${index}${key}.${form}`), mediaType: FRAME_TYPES[form], modified: dateFromWallNs(time) }
    if (sentNotModified(request, response, about)) return
    const { width, height } = file.layout
    const gone = goneOf(response)
    const { bytes, checked } = await turns.once(gone, async () => {
      const { pixels, checked } = await soundFrame(file, index)
      const raw = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)
      if (form === 'raw') return { bytes: raw, checked }
      if (form === 'npy') return { bytes: Buffer.concat([npyHeader([height, width]), raw]), checked }
      return { bytes: await renderPng(pixels, file.layout, options), checked }
    })
    response.setHeader('X-Frame-Width', width).setHeader('X-Frame-Height', height).setHeader('X-Frame-Dtype', 'uint16')
    response.setHeader('X-Frame-Sequence', sequence).setHeader('X-Frame-Time', formatRfc3339(time))
    response.setHeader('X-Frame-Checksum', checked ? 'good' : 'unknown')
    await sendBytes(request, response, about, bytes, stallMs)
  }

  router.get('/slice/:name', async (request: Request<{ id: string; name: string }>, response) => {
    const form = formOf(request.params.name, 'frames', ['npy', 'arrow'])
    const row = await dataset(request.params.id)
    await using file = await openRecording(row, dataDir)
    const slice = await sliceOf(file, sliceGiven(request))
    const { from, step, frames, roi, bin } = slice
    const about = aboutOf(row, `slice-${from}-${step}-${frames}-${sidesOf(roi)}-${bin}.${form}`)
    const name = `${row.name}.${form}`
    const gone = goneOf(response)
    if (form === 'arrow') {
      const read = () => turns.each(readArrow(file, slice, gone), gone)
      return await sendStream(request, response, { ...about, mediaType: ARROW_STREAM, name }, read, stallMs)
    }
    const read = (first: number, last: number) => turns.each(readNpy(file, slice, first, last, gone), gone)
    await sendRanges(request, response, { ...about, mediaType: NPY, name }, npyBytes(slice), read, stallMs)
  })

  router.get('/frame-series/:name', async (request: Request<{ id: string; name: string }>, response) => {
    const form = formOf(request.params.name, 'series', ['csv', 'arrow', 'npy'])
    const row = await dataset(request.params.id)
    await using file = await openRecording(row, dataDir)
    const [roi, range] = [roiGiven(request), rangeGiven(request)]
    const { from, step, frames } = checkedFrames(range, await file.count())
    checkedRegion(roi, file.layout) // here, because what is wrong after the first line is told by nothing but an end
    const about = {
      ...aboutOf(row, `series-${from}-${step}-${frames}-${roi === undefined ? 'all' : sidesOf(roi)}.${form}`),
      mediaType: SERIES_TYPES[form],
      name: `${row.name} series.${form}`,
    }
    const gone = goneOf(response)
    const numbers = (start: number, count: number) => {
      const first = from + start * step
      return readRoiSeries(file, roi, { from: first, to: first + count * step, step }, gone)
    }
    if (form === 'npy') {
      const read = (first: number, last: number) => turns.each(readSeriesNpy(frames, first, last, numbers), gone)
      return await sendRanges(request, response, about, seriesNpyBytes(frames), read, stallMs)
    }
    await sendStream(request, response, about, () => turns.each(readFrameNumbers(file, form, roi, numbers(0, frames)), gone), stallMs)
  })

  return router
}

/** What has been recorded of a frame never changes; what is there of a recording that goes on does. */
function aboutOf({ id, state }: Dataset, what: string): Pick<About, 'etag' | 'changes'> {
  return { etag: `"${id}-${what}"`, changes: state === 'RECORDING' }
}

function sidesOf({ x, y, width, height }: Roi): string {
  return [x, y, width, height].join('-')
}

function formOf<Form extends string>(name: string, base: string, forms: readonly Form[]): Form {
  const form = forms.find((candidate) => name === `${base}.${candidate}`)
  if (form === undefined) throw new NotFound(`${name}; there are ${forms.map((each) => `${base}.${each}`).join(' and ')}`)
  return form
}

const CLIENT_CLOSED_REQUEST = 499 // as nginx has it; nobody reads it, but it is no fault of ours for the log

/** Fires when the client has gone, or has all of it. */
function goneOf(response: Response): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort(Object.assign(new Error('the client has gone'), { status: CLIENT_CLOSED_REQUEST })))
  return gone.signal
}
