import { describe, expect, it } from 'vitest'
import type { FrameHeader } from '../../../../core/frame.ts'
import { streamFrames } from '../../../../workers/station/host/frame-stream.ts'
import type { HostedDevice } from '../../../../workers/station/host/hosted-device.ts'
import { frameHeader } from '../../../frame-header.ts'
import { never } from './bench.ts'

/** A camera at 1000 frames a second, as far as a tap can tell. */
function camera(): Pick<HostedDevice, 'record' | 'handle'> {
  const startMs = performance.now()
  const tap = (_: string, after = 0): { readonly header: FrameHeader; readonly pixels: Uint16Array } | undefined => {
    const sequence = Math.floor(performance.now() - startMs)
    if (sequence <= after) return undefined
    const header = frameHeader(2, 1, { sequence })
    return { header, pixels: new Uint16Array([0, sequence]) }
  }
  return {
    record: { id: 'c', name: 'camera', driverId: 'd', stationId: 's', settings: {}, version: 1 },
    handle: { frames: { tap } } as unknown as NonNullable<HostedDevice['handle']>,
  }
}

describe('the frames for eyes', () => {
  it('are the newest ones, at most at the rate that was asked for', async () => {
    const startMs = performance.now()
    const sequences: number[] = []
    for await (const { header, pixels } of streamFrames(camera(), 'PREVIEW', 50, never)) {
      sequences.push(header.sequence)
      expect(new Uint16Array(pixels.buffer, pixels.byteOffset, 2)[1]).toBe(header.sequence)
      if (sequences.length === 10) break
    }
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(9 * 20 - 5)
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
    expect(new Set(sequences).size).toBe(10)
  })

  it('are refused at no rate at all', async () => {
    await expect(streamFrames(camera(), 'FULL', 0, never).next()).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })

  it('end with the signal, also when the camera gives none', async () => {
    const stop = new AbortController()
    const still = { ...camera(), handle: undefined }
    const next = streamFrames(still, 'FULL', 10, stop.signal).next()
    stop.abort()
    expect((await next).done).toBe(true)
  })
})
