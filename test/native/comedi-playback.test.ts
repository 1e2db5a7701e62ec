import { writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { ComediAcquisition, ComediBoard, ComediPlaybackOptions } from '../../native/types.ts'
import { until } from '../until.ts'
import { AI, AO, comediFiles, DIO, input, openOn as openBoard, output, problem } from './comedi-bench.ts'

const EPIPE = '32'
const STEP = 16 // counts of the loop from DAC0 to ACH0: its noise is a few
const LOOP_OFFSET = -0.0496 / (20 / 65_535) // counts, as the bench has it
const INTERVAL_NS = 100_000
const files = comediFiles()
const openOn = (bench = ''): Promise<ComediBoard> => openBoard(files, bench)

const dac0 = { channel: 0, range: 0, reference: 0 }
const ramp = (count: number, from = 1000): Uint32Array => Uint32Array.from({ length: count }, (_, at) => from + at * STEP)
const options = (more: Partial<ComediPlaybackOptions> = {}): ComediPlaybackOptions => ({
  subdevice: AO,
  channels: [dac0],
  scanIntervalNs: INTERVAL_NS,
  samples: ramp(3000),
  ...more,
})
const record = (board: ComediBoard, more: object = {}): Promise<ComediAcquisition> =>
  board.acquire({ subdevice: AI, channels: [{ channel: 0, range: 0, reference: 0 }], scanIntervalNs: INTERVAL_NS, bufferScans: 1_000_000, ...more })

/** The place in a ramp that a count of the loop belongs to. */
const placeOf = (raw: number, from = 1000): number => Math.round((raw - LOOP_OFFSET - from) / STEP)

async function take(acquisition: ComediAcquisition, count: number): Promise<number[]> {
  const samples: number[] = []
  while (samples.length < count) for (const sample of (await acquisition.take(4096)) ?? []) samples.push(sample)
  return samples
}

/** Places up to and with the first that is `last`, or one of the next `times`. */
async function takeTo(acquisition: ComediAcquisition, last: number, times = 1): Promise<number[]> {
  const places: number[] = []
  let left = times
  for (;;)
    for (const sample of (await acquisition.take(4096)) ?? []) {
      places.push(placeOf(sample))
      if (places.at(-1) === last) left -= 1
      if (left === 0) return places
    }
}

describe('waveforms', () => {
  test('a finite one brings every sample to the output once, in order, and stays at the last', async () => {
    await using board = await openOn('pace 2')
    await board.write(output(0), 1000 - STEP) // before the first sample
    await using acquisition = await record(board)
    await using playback = await board.play(options({ repeats: 1 }))
    expect(playback.scanIntervalNs).toBe(INTERVAL_NS)
    await playback.ended
    const places = await takeTo(acquisition, 2999)
    const first = places.indexOf(0)
    expect(places.slice(0, first).every((place) => place === -1)).toBe(true)
    expect(places.slice(first)).toHaveLength(3000)
    expect(places.slice(first).findIndex((place, at) => place !== at)).toBe(-1)
    await acquisition.stop()
    expect(placeOf(await board.read(input(0)))).toBe(2999)
    expect(await board.read(output(0))).toBe(1000 - STEP) // what was written directly: the board says nothing else
    await board.write(output(0), 5000) // free again
  })

  test('an endless one goes from period to period without a seam, until it is stopped in the middle', async () => {
    await using board = await openOn('pace 10 buffer 1048576')
    await using playback = await board.play(options({ samples: ramp(777) }))
    await using acquisition = await record(board)
    const places = (await take(acquisition, 20_000)).map((raw) => placeOf(raw))
    const [first = 0] = places
    expect(places.findIndex((place, at) => place !== (first + at) % 777)).toBe(-1)
    await playback.stop()
    await playback.ended
    await acquisition.stop()
    const held = placeOf(await board.read(input(0)))
    expect(held).toBeGreaterThanOrEqual(0)
    expect(placeOf(await board.read(input(0)))).toBe(held)
  })

  test('a period is played as often as it was asked for, also one that is longer than the board’s buffer', async () => {
    await using board = await openOn('pace 2 buffer 4000') // a second's
    await using acquisition = await record(board, { scanIntervalNs: 1_000_000 })
    await using playback = await board.play(options({ samples: ramp(2500), repeats: 2, scanIntervalNs: 1_000_000 }))
    await playback.ended
    const places = await takeTo(acquisition, 2499, 2)
    const played = places.slice(places.indexOf(0))
    expect(played).toHaveLength(5000)
    expect(played.findIndex((place, at) => place !== at % 2500)).toBe(-1)
    expect(placeOf((await take(acquisition, 1))[0] ?? 0)).toBe(2499)
  })

  test('two outputs play side by side', async () => {
    await using board = await openOn()
    const samples = Uint32Array.from([10_000, 20_000, 10_016, 20_016, 10_032, 20_032])
    await using playback = await board.play(options({ channels: [dac0, { ...dac0, channel: 1 }], samples, repeats: 1 }))
    await playback.ended
    expect(placeOf(await board.read(input(0)), 10_000)).toBe(2)
    await expect(board.play(options({ channels: [dac0, { ...dac0, channel: 1 }], samples: ramp(3) }))).rejects.toThrow(problem('INVALID_VALUE'))
  })

  test('samples that are not written in time are an underrun: an error, and the outputs are free again', async () => {
    await using board = await openOn('pace 20 buffer 200') // a step of the board's clock plays more than there is room for
    await using playback = await board.play(options({ scanIntervalNs: 10_000 }))
    await expect(playback.ended).rejects.toThrow(
      problem('HARDWARE_FAULT', { facts: expect.objectContaining({ instrumentCode: EPIPE }), message: expect.stringContaining('underrun') }),
    )
    await board.write(output(0), 5000)
    await using again = await board.play(options({ scanIntervalNs: 1_000_000, samples: ramp(10), repeats: 1 }))
    await again.ended
  })

  test('a board that is pulled out while it plays what it has been given is an error', async () => {
    await using board = await openOn()
    await using playback = await board.play(options({ samples: ramp(1000), repeats: 5 })) // all of it is in the board's buffer
    await writeFile(`${files.library}.unplugged`, '')
    await expect(playback.ended).rejects.toThrow(problem('HARDWARE_FAULT', { facts: expect.objectContaining({ instrumentCode: '19' }) }))
  })

  test('while one plays the outputs are busy, also for others, and the rest of the board is not', async () => {
    await using board = await openOn()
    await using other = await openOn()
    await using playback = await board.play(options())
    await expect(board.write(output(0), 1)).rejects.toThrow(problem('DEVICE_BUSY'))
    await expect(board.write(output(1), 1)).rejects.toThrow(problem('DEVICE_BUSY'))
    await expect(other.play(options())).rejects.toThrow(problem('DEVICE_BUSY'))
    expect(await board.readLine({ subdevice: DIO, line: 0 })).toBe(true)
    expect(await board.read(input(1))).toBeGreaterThan(0)
    await playback.stop()
    await other.write(output(1), 40_000)
  })

  test('a board that is closed stops what plays, and one that is pulled out is an error', async () => {
    const board = await openOn()
    const playback = await board.play(options())
    await board[Symbol.asyncDispose]()
    await playback.ended
    await using again = await openOn()
    await again.write(output(0), 1)
    const lost = await again.play(options())
    await writeFile(`${files.library}.unplugged`, '')
    await expect(lost.ended).rejects.toThrow(problem('HARDWARE_FAULT', { facts: expect.objectContaining({ instrumentCode: '19' }) }))
  })

  test('it goes on while JavaScript does nothing', async () => {
    await using board = await openOn('buffer 12000') // 0.6 s
    await using playback = await board.play(options())
    let over = false
    const noted = playback.ended
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        over = true
      })
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
    await until(async () => (await board.readLine({ subdevice: DIO, line: 0 })) === true)
    expect(over).toBe(false)
    await playback.stop()
    await noted
  })

  test.each<[Partial<ComediPlaybackOptions>, RegExp]>([
    [{ scanIntervalNs: 0 }, /scanIntervalNs: 1 to/],
    [{ scanIntervalNs: 5000 }, /the board would make 10000 of 5000/],
    [{ samples: new Uint32Array() }, /samples: as many for each channel/],
    [{ samples: Uint32Array.of(65_536) }, /samples: 65536 is beyond/],
    [{ repeats: 0 }, /repeats: 1 to/],
    [{ repeats: 10_000 }, /repeats: the board counts 16777215 samples of each output at most, not 30000000/],
    [{ channels: [] }, /channels: at least one/],
    [{ channels: [{ ...dac0, channel: 2 }] }, /channel: 2/],
    [{ channels: [{ ...dac0, range: 4 }] }, /range: 4/],
    [{ subdevice: AI }, /takes no commands/],
  ])('%j is refused, and the board is as free as before', async (more, reason) => {
    await using board = await openOn()
    const refused = expect.objectContaining({ code: 'INVALID_VALUE', message: expect.stringMatching(reason) })
    await expect(board.play(options(more))).rejects.toThrow(refused)
    await board.write(output(0), 1)
  })
})
