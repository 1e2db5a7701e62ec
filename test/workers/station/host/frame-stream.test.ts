import { describe, expect, it } from 'vitest'
import { InvalidValue, NotFound } from '../../../../core/errors.ts'
import type { FrameMark, FramePicture, FrameView } from '../../../../core/frame.ts'
import { MAX_PICTURE_BYTES } from '../../../../link/protocol.ts'
import { streamFrames } from '../../../../workers/station/host/frame-stream.ts'
import type { HostedDevice } from '../../../../workers/station/host/hosted-device.ts'
import { SharedPictures } from '../../../../workers/station/host/shared-pictures.ts'
import { frameHeader } from '../../../frame-header.ts'
import { until } from '../../../until.ts'
import { never } from './bench.ts'

const VIEW: FrameView = { quality: 'PREVIEW', compression: 'NONE' }

/** A camera that gives frames as the test does. */
function camera() {
  const state = { stream: 1, sequence: 0, bytes: 4, taps: 0, running: 0, mostAtOnce: 0 }
  const tap = async (view: FrameView, after?: FrameMark): Promise<FramePicture | undefined> => {
    const { stream, sequence, bytes } = state
    if (view.roi !== undefined) throw new InvalidValue('roi: it has nothing of it', ['roi'])
    if (after?.stream === stream && after.sequence === sequence) return undefined
    state.taps += 1
    state.running += 1
    state.mostAtOnce = Math.max(state.mostAtOnce, state.running)
    await new Promise((resolve) => setImmediate(resolve)) // made beside this thread
    state.running -= 1
    return { header: frameHeader(2, 1, { sequence }), pixels: new Uint8Array(bytes).fill(sequence), mark: { stream, sequence } }
  }
  const device: { record: HostedDevice['record']; handle: HostedDevice['handle'] } = {
    record: { id: 'c', name: 'camera', driverId: 'd', stationId: 's', settings: {}, version: 1 },
    handle: { frames: { tap } } as unknown as NonNullable<HostedDevice['handle']>,
  }
  return { device, state, next: () => Object.assign(state, { sequence: state.sequence + 1 }) }
}

describe('the frames for eyes', () => {
  it('are the newest ones, at most at the rate that was asked for; the others are not even looked at', async () => {
    const { device, state, next } = camera()
    const running = setInterval(next, 1)
    const startMs = performance.now()
    const sequences: number[] = []
    for await (const { header, pixels } of streamFrames(() => device, VIEW, 50, new SharedPictures(), never)) {
      sequences.push(header.sequence)
      expect(pixels[0]).toBe(header.sequence)
      if (sequences.length === 10) break
    }
    clearInterval(running)
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(9 * 20 - 5)
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
    expect(new Set(sequences).size).toBe(10)
    expect(state.taps).toBe(10)
  })

  it('are made once, however many look at the same, at whatever rates', async () => {
    const { device, state, next } = camera()
    const pictures = new SharedPictures()
    const stop = new AbortController()
    const seen = Array.from({ length: 5 }, () => [] as number[])
    const viewers = seen.map(async (sequences, at) => {
      for await (const { header } of streamFrames(() => device, VIEW, at === 0 ? 20 : 60, pictures, stop.signal)) sequences.push(header.sequence)
    })
    for (let frame = 0; frame < 5; frame += 1) {
      await until(() => seen.every((sequences) => sequences.at(-1) === state.sequence))
      next()
    }
    await until(() => seen.every((sequences) => sequences.at(-1) === 5))
    stop.abort()
    await Promise.all(viewers)
    expect(seen).toEqual(Array.from({ length: 5 }, () => [0, 1, 2, 3, 4, 5]))
    expect(state.taps).toBe(6)
  })

  it('of several views are made one after the other', async () => {
    const { device, state } = camera()
    const pictures = new SharedPictures()
    const views = (['FULL', 'PREVIEW', 'FAST'] as const).map((quality) => streamFrames(() => device, { ...VIEW, quality }, 60, pictures, never))
    await Promise.all(views.map((frames) => frames.next()))
    expect([state.taps, state.mostAtOnce]).toEqual([3, 1])
    await Promise.all(views.map((frames) => frames.return()))
  })

  it('are not made for a reader that does not ask for the next one', async () => {
    const { device, state, next } = camera()
    const frames = streamFrames(() => device, VIEW, 60, new SharedPictures(), never)
    await frames.next()
    for (let frame = 0; frame < 50; frame += 1) next()
    expect(state.taps).toBe(1)
    expect((await frames.next()).value?.header.sequence).toBe(50)
    expect(state.taps).toBe(2)
    await frames.return()
  })

  it('go on when the camera counts from the beginning again, and when it is connected anew', async () => {
    const first = camera()
    Object.assign(first.state, { sequence: 40 })
    const frames = streamFrames(() => first.device, VIEW, 60, new SharedPictures(), never)
    expect((await frames.next()).value?.header.sequence).toBe(40)
    Object.assign(first.state, { stream: 2, sequence: 3 })
    expect((await frames.next()).value?.header.sequence).toBe(3)
    const second = camera()
    first.device.handle = undefined
    const next = frames.next()
    first.device.handle = second.device.handle
    expect((await next).value?.header.sequence).toBe(0)
    await frames.return()
  })

  it('go on with the device that takes the place of one that was made anew, and end when it is removed', async () => {
    const [old, young] = [camera(), camera()]
    Object.assign(young.state, { sequence: 7 })
    let registered: typeof old.device | undefined = old.device
    const find = () => {
      if (registered === undefined) throw new NotFound('device c')
      return registered
    }
    const frames = streamFrames(find, VIEW, 60, new SharedPictures(), never)
    expect((await frames.next()).value?.header.sequence).toBe(0)
    old.device.handle = undefined // it is let go of, and nothing connects it again
    registered = young.device
    expect((await frames.next()).value?.header.sequence).toBe(7)
    registered = undefined
    await expect(frames.next()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('are refused at no rate at all, where there is nothing to show, and where they would break the link', async () => {
    const { device, state } = camera()
    const first = (view: FrameView, maxRateHz = 10) => streamFrames(() => device, view, maxRateHz, new SharedPictures(), never).next()
    await expect(first(VIEW, 0)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    await expect(first({ ...VIEW, roi: { x: 0, y: 0, width: 1, height: 1 } })).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    state.bytes = MAX_PICTURE_BYTES + 1
    await expect(first(VIEW)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  it('end with the signal, also when the camera gives none', async () => {
    const stop = new AbortController()
    const next = streamFrames(() => ({ ...camera().device, handle: undefined }), VIEW, 10, new SharedPictures(), stop.signal).next()
    stop.abort()
    expect((await next).done).toBe(true)
  })
})
