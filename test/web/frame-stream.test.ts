import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Frame } from '../../web/src/model/frame-header.ts'
import { FrameStream, type View } from '../../web/src/panels/camera/frame-stream.ts'
import type { FromPixelWorker, ToPixelWorker } from '../../web/src/panels/camera/pixel-messages.ts'
import { until } from '../until.ts'

/** What the page's worker was told; it never answers by itself. */
class RecordedWorker extends EventTarget {
  static last: RecordedWorker | undefined
  readonly told: ToPixelWorker[] = []
  isTerminated = false

  constructor() {
    super()
    RecordedWorker.last = this
  }

  postMessage(message: ToPixelWorker): void {
    this.told.push(message)
  }

  terminate(): void {
    this.isTerminated = true
  }

  says(data: FromPixelWorker): void {
    this.dispatchEvent(new MessageEvent('message', { data }))
  }
}

const WHOLE: View = { quality: 'PREVIEW', maxRateHz: 30, isPacked: false, roi: undefined }
const PART: View = { quality: 'FULL', maxRateHz: 10, isPacked: true, roi: { x: 8, y: 16, width: 100, height: 50 } }

const FRAME: Frame = {
  view: 0,
  sequence: 1,
  timeMs: 0,
  hardwareTimeMs: undefined,
  exposureSeconds: 0.1,
  width: 1,
  height: 1,
  bitDepth: 16,
  encoding: 'RAW',
  rawBytes: 2,
  roi: { x: 0, y: 0, width: 1, height: 1 },
  bin: 1,
  minimum: 0,
  maximum: 0,
  mean: 0,
  saturated: 0,
  dropped: 0,
  skipped: 0,
  pixels: new Uint16Array(1),
}

let asked: Record<string, unknown>[]
let problems: (string | undefined)[]
let shown: number
let stream: FrameStream

beforeEach(() => {
  vi.stubGlobal('Worker', RecordedWorker)
  vi.stubGlobal('location', { href: 'http://lab.example:4000/' })
  asked = []
  problems = []
  shown = 0
  const query = (_: unknown, variables: Record<string, unknown>) => {
    asked.push(variables)
    const url = `/frames?ticket=number-${asked.length}`
    return { toPromise: async () => ({ data: { device: { camera: { ticket: { url, protocol: 'kymograph-frames', expiresAt: '' } } } } }) }
  }
  const sink = {
    frame: () => {
      shown += 1
    },
    histogram: () => undefined,
    problem: (message: string | undefined) => problems.push(message),
  }
  stream = new FrameStream({ query } as unknown as ConstructorParameters<typeof FrameStream>[0], 'a-camera', sink)
})

afterEach(() => {
  stream.close()
  vi.unstubAllGlobals()
})

const worker = () => {
  if (RecordedWorker.last === undefined) throw new Error('no worker was made')
  return RecordedWorker.last
}
const kinds = () => worker().told.map(({ kind }) => kind)
const saw = (kind: ToPixelWorker['kind'], times: number) =>
  until(() => kinds().filter((each) => each === kind).length === times, { what: `${times} times ${kind}` })

test('a view is asked for with its region, and goes to the socket of the api', async () => {
  stream.show(PART)
  await saw('connect', 1)
  expect(asked).toEqual([{ id: 'a-camera', quality: 'FULL', maxRateHz: 10, roi: PART.roi, compression: 'LZ4' }])
  expect(worker().told[0]).toEqual({ kind: 'connect', id: 1, url: 'ws://lab.example:4000/frames?ticket=number-1', protocol: 'kymograph-frames' })
})

test('another view goes over the connection that there is', async () => {
  stream.show(WHOLE)
  await saw('connect', 1)
  stream.show(PART)
  await saw('say', 1)
  expect(worker().told.at(-1)).toEqual({ kind: 'say', text: '{"view":0,"ticket":"number-2"}' })
  expect(kinds()).toEqual(['connect', 'say'])
})

test('of several changes at once only the last is shown', async () => {
  stream.show(WHOLE)
  await saw('connect', 1)
  stream.show(PART)
  stream.show({ ...PART, quality: 'FAST' })
  await saw('say', 1)
  expect(worker().told.at(-1)).toEqual({ kind: 'say', text: '{"view":0,"ticket":"number-3"}' })
})

test('a connection that ends is opened again with a new ticket, for what is wanted by then', async () => {
  stream.show(WHOLE)
  await saw('connect', 1)
  worker().says({ kind: 'closed', id: 1, reason: 'the server is going away', received: 5 })
  await saw('connect', 2)
  expect(problems).toEqual(['the server is going away'])
  expect(worker().told.at(-1)).toMatchObject({ id: 2, url: 'ws://lab.example:4000/frames?ticket=number-2' })
})

test('a pause ends it, a late word of the old connection does not touch the new one', async () => {
  stream.show(WHOLE)
  await saw('connect', 1)
  stream.pause()
  stream.show(WHOLE)
  await saw('connect', 2)
  worker().says({ kind: 'closed', id: 1, reason: 'old', received: 5 })
  stream.show(PART)
  await saw('say', 1)
  expect(kinds()).toEqual(['connect', 'disconnect', 'connect', 'say'])
  expect(problems).toEqual([])
})

test('a frame that comes after the pause is not shown, and does not keep the next ones back', async () => {
  stream.show(WHOLE)
  await saw('connect', 1)
  stream.pause()
  worker().says({ kind: 'frame', frame: FRAME, received: 1, skipped: 0 })
  expect(shown).toBe(0)
  expect(kinds()).toEqual(['connect', 'disconnect', 'next'])
})

test('why nothing comes is told, and that it comes again', async () => {
  stream.show(WHOLE)
  await saw('connect', 1)
  worker().says({ kind: 'said', text: '{"view":0,"state":"WAITING","message":"the camera is not connected"}' })
  worker().says({ kind: 'said', text: '{"view":0,"state":"OPEN"}' })
  expect(problems).toEqual(['the camera is not connected', undefined])
})
