import { describe, expect, it } from 'vitest'
import type { TappedFrame } from '../../api/frames/follow.ts'
import { createFrameTaps, type FrameTaps } from '../../api/frames/taps.ts'
import { qualityFor } from '../../api/frames/thumbnail.ts'
import type { FrameRequest } from '../../api/frames/ticket.ts'
import { createLog } from '../../api/log.ts'
import type { Stations } from '../../api/stations/stations.ts'
import { uuidv7 } from '../../core/id.ts'
import { frameHeader } from '../frame-header.ts'
import { until } from '../until.ts'

const REQUEST: FrameRequest = { deviceId: uuidv7(), maxRateHz: 10, view: { quality: 'PREVIEW', compression: 'NONE' } }

/** One station whose streams this test feeds. */
function bench() {
  const state = { online: true, failure: undefined as Error | undefined, open: 0, opened: 0, waiting: [] as TappedFrame[] }
  const sleeping = new Set<() => void>()
  const wake = (): void => {
    for (const rise of sleeping) rise()
    sleeping.clear()
  }
  async function* stream(_name: string, _request: FrameRequest, signal: AbortSignal) {
    if (state.failure !== undefined) throw state.failure
    state.open += 1
    state.opened += 1
    signal.addEventListener('abort', wake)
    try {
      while (!signal.aborted) {
        const next = state.waiting.shift()
        if (next !== undefined) yield next
        else await new Promise<void>((resolve) => sleeping.add(resolve))
        if (state.failure !== undefined) throw state.failure
      }
    } finally {
      state.open -= 1
    }
  }
  const devices = new Map([[REQUEST.deviceId, {}]])
  const stations = { all: () => [{ devices, online: state.online, link: { stream } }] } as unknown as Stations
  const give = (sequence: number): void => {
    state.waiting.push({ header: frameHeader(1, 1, { sequence }), pixels: new Uint8Array(2) })
    wake()
  }
  const fail = (failure: Error | undefined): void => {
    state.failure = failure
    wake()
  }
  return { state, taps: createFrameTaps(stations, createLog('silent')), give, fail }
}

function viewer(taps: FrameTaps, request = REQUEST) {
  const seen: number[] = []
  const reasons: string[] = []
  const leave = taps.watch(request, { frame: ({ header }) => void seen.push(header.sequence), waiting: (reason) => void reasons.push(reason) })
  return { seen, reasons, leave }
}

describe('the frames that an api taps', () => {
  it('are one stream for all who look at the same, from the newest on for one who comes later', async () => {
    const { state, taps, give } = bench()
    const first = viewer(taps)
    await until(() => state.open === 1)
    give(1)
    await until(() => first.seen.length === 1)
    const late = viewer(taps)
    expect(late.seen).toEqual([1])
    give(2)
    await until(() => late.seen.length === 2 && first.seen.length === 2)
    expect(state.opened).toBe(1)
    const other = viewer(taps, { ...REQUEST, view: { ...REQUEST.view, quality: 'FAST' } })
    await until(() => state.opened === 2)
    expect(other.seen).toEqual([])
    for (const { leave } of [first, late, other]) leave()
    await until(() => state.open === 0)
    await taps[Symbol.asyncDispose]()
  })

  it('say why they do not come, also to one who comes later, and come again by themselves', async () => {
    const { state, taps, give, fail } = bench()
    fail(new Error('the camera reads out nothing of it'))
    const first = viewer(taps)
    await until(() => first.reasons.length > 0)
    expect(viewer(taps).reasons).toEqual(['the camera reads out nothing of it'])
    fail(undefined)
    await until(() => state.open === 1)
    give(7)
    await until(() => first.seen[0] === 7)
    state.online = false
    fail(new Error('lost'))
    await until(() => first.reasons.at(-1) === 'no station that is here has this camera')
    await taps[Symbol.asyncDispose]()
    expect(state.open).toBe(0)
  })
})

describe('a thumbnail', () => {
  it.each([
    [2048, 1, 128, 'FAST'],
    [2048, 1, 512, 'FAST'],
    [2048, 1, 513, 'PREVIEW'],
    [2048, 2, 512, 'PREVIEW'],
    [2048, 2, 1024, 'FULL'],
    [2, 1, 1, 'PREVIEW'],
    [1, 1, 1, 'FULL'],
  ] as const)('of %i sensor pixels, binned by %i, of which %i are shown, takes %s', (side, binning, maxSide, quality) => {
    expect(qualityFor({ roi: { x: 0, y: 0, width: side, height: side }, binning: { x: binning, y: binning } }, maxSide)).toBe(quality)
  })
})
