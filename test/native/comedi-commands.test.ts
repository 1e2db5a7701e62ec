import { execFile } from 'node:child_process'
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import type { DatasetColumn } from '../../core/dataset.ts'
import { crc32c } from '../../native/files.ts'
import type { ComediAcquisition, ComediAcquisitionOptions, ComediBoard } from '../../native/types.ts'
import { openBatchIndex } from '../../storage/batch-index.ts'
import { cellAt } from '../../storage/column-chunk.ts'
import { recoverStream } from '../../storage/recover.ts'
import { ACQUISITION_KEY, prepareScanLayout } from '../../storage/scan-heads.ts'
import { openTable } from '../../storage/table-file.ts'
import { type Python, pythonWith } from '../python.ts'
import { until } from '../until.ts'
import { AI, AO, COUNTER_0, comediFiles, DIO, input, openOn as openBoard, output, problem, volts } from './comedi-bench.ts'

const EPIPE = '32'
const files = comediFiles()
const openOn = (bench = ''): Promise<ComediBoard> => openBoard(files, bench)

/** Everything until the end; what was taken before an error is with it. */
async function drain(acquisition: ComediAcquisition, atMost = Number.POSITIVE_INFINITY): Promise<{ readonly samples: number[]; readonly error?: unknown }> {
  const samples: number[] = []
  try {
    while (samples.length < atMost) {
      const taken = await acquisition.take(4096)
      if (taken === undefined) break
      for (const sample of taken) samples.push(sample)
    }
    return { samples }
  } catch (error) {
    return { samples, error }
  }
}

/** Of the first sample that is not the number of its conversion. */
const firstWrong = (samples: readonly number[]): number => samples.findIndex((sample, at) => sample !== at % 65_536)

describe('commands', () => {
  const one = { channel: 0, range: 0, reference: 0 }
  const options = (more: Partial<ComediAcquisitionOptions> = {}): ComediAcquisitionOptions => ({
    subdevice: AI,
    channels: [one],
    scanIntervalNs: 10_000,
    bufferScans: 100_000,
    ...more,
  })
  const FAST = 'ramp 1 pace 20 buffer 8388608' // 2 million samples a second; two seconds of them may wait on a machine that does other things

  test('a finite one gives every scan once, in order, and then the board is free', async () => {
    await using board = await openOn(FAST)
    await using acquisition = await board.acquire(
      options({ channels: [one, { ...one, channel: 1 }, { ...one, channel: 2 }], scanIntervalNs: 30_000, scans: 50_000 }),
    )
    expect(acquisition).toMatchObject({ scanIntervalNs: 30_000, convertIntervalNs: 10_000 })
    const { samples, error } = await drain(acquisition)
    expect(error).toBeUndefined()
    expect(samples).toHaveLength(150_000)
    expect(firstWrong(samples)).toBe(-1)
    expect(await acquisition.take(1)).toBeUndefined()
    expect(await board.read(input(1))).toBeGreaterThan(0)
  })

  test('a finite one that is longer than the board can count ends after its last scan all the same', async () => {
    await using board = await openOn(`${FAST} most 1000`)
    await using acquisition = await board.acquire(options({ scans: 12_345 }))
    const { samples, error } = await drain(acquisition)
    expect([error, samples.length, firstWrong(samples)]).toEqual([undefined, 12_345, -1])
    expect(await board.read(input(1))).toBeGreaterThan(0)
  })

  test('an endless one loses and repeats none of more than a million, through a buffer that is often full', async () => {
    await using board = await openOn(FAST)
    await using acquisition = await board.acquire(options({ bufferScans: 5000 }))
    const { samples, error } = await drain(acquisition, 1_200_000)
    expect(error).toBeUndefined()
    expect(samples.length).toBeGreaterThanOrEqual(1_200_000)
    expect(firstWrong(samples)).toBe(-1)
    await acquisition.stop()
    const rest = await drain(acquisition)
    expect(rest.error).toBeUndefined()
    expect(firstWrong([...samples, ...rest.samples])).toBe(-1)
  })

  test('samples that nobody takes are an overflow: an error, after everything that came before it', async () => {
    await using board = await openOn('ramp 1 buffer 40000') // bytes: a fifth of a second, in which our own room is full first, however late our thread begins
    await using acquisition = await board.acquire(options({ bufferScans: 1000 }))
    await until(async () => (await board.read({ ...output(0) })) >= 0 && (await overflowed(board)))
    const { samples, error } = await drain(acquisition)
    expect(firstWrong(samples)).toBe(-1)
    expect(samples.length).toBe(21_000) // what we keep, and what the board does
    expect(error).toMatchObject({ code: 'HARDWARE_FAULT', facts: { instrumentCode: EPIPE }, message: expect.stringContaining('overflow') })
    await expect(acquisition.take(1)).rejects.toThrow(/overflow: .* after 21000 scans/)
    await using again = await board.acquire(options({ scans: 100 }))
    expect((await drain(again)).samples).toHaveLength(100)
  })

  describe('recorded by the writer of frames', () => {
    const ROWS = 500
    const three = [one, { ...one, channel: 1 }, { ...one, channel: 2 }]
    const target = () => path.join(files.folder, 'table.arrow')
    const columns = three.map(({ channel }): DatasetColumn => ({ name: `ach${channel}`, type: 'float64', unit: 'V' }))
    const recordOptions = () => ({
      ...prepareScanLayout(columns, ROWS, { run: 'none', [ACQUISITION_KEY]: '{}' }),
      path: target(),
      keepFreeBytes: 0,
      ringPath: path.join(files.folder, 'samples.ring'),
      ringSlots: 64,
    })
    /** Counts, scan by scan, of a file in which every row has its number and is one interval after the one before. */
    async function recorded(intervalNs = 30_000n): Promise<number[]> {
      await using file = await openTable(target())
      const samples: number[] = []
      let row = 0
      let startNs = 0n
      for await (const chunk of file.read(['time', 'seq_num', ...columns.map(({ name }) => name)], { from: 0, to: file.rows }))
        for (let at = 0; at < chunk.rows; at += 1, row += 1) {
          const [time, number, ...values] = chunk.columns.map((column) => cellAt(column, at))
          if (row === 0) startNs = BigInt(String(time))
          if (time !== startNs + BigInt(row) * intervalNs || number !== BigInt(row + 1)) throw new Error(`row ${row}: ${time} ${number}`)
          for (const value of values) samples.push(((Number(value) + 10) / 20) * 65_535)
        }
      const rounded = samples.map(Math.round)
      expect(Math.max(...samples.slice(0, 1000).map((sample, at) => Math.abs(sample - (rounded[at] ?? 0))))).toBeLessThan(1e-6) // counts can be had back
      return rounded
    }

    test('a finite one is in the file, every scan once, with what is less than a batch', async () => {
      await using board = await openOn(FAST)
      await using acquisition = await board.acquire(options({ channels: three, scanIntervalNs: 30_000, scans: 100 * ROWS + 7 }))
      const beforeNs = BigInt(Date.now() - 1000) * 1_000_000n
      const recording = acquisition.record(recordOptions())
      expect(() => acquisition.record(recordOptions())).toThrow(problem('DEVICE_BUSY'))
      const { size } = await recording.ended.then(() => stat(target()))
      expect(await recording.ended).toEqual({ written: 100 * ROWS + 7, bytes: size, state: 'finished' })
      const samples = await recorded()
      expect(samples).toHaveLength((100 * ROWS + 7) * three.length)
      expect(firstWrong(samples)).toBe(-1)
      await using file = await openTable(target())
      expect(file).toMatchObject({ ended: true, metadata: { run: 'none', [ACQUISITION_KEY]: '{}' } })
      for await (const { columns: times } of file.read(['time'], { from: 0, to: 1 })) expect(times[0] && cellAt(times[0], 0)).toBeGreaterThan(beforeNs)
      expect((await readdir(files.folder)).filter((name) => name.endsWith('.ring'))).toEqual([])
      expect(await readFile('/proc/self/maps', 'utf8')).not.toContain('.ring')
    })

    describe('pyarrow', () => {
      let python: Python
      beforeAll(async () => {
        python = await pythonWith(['pyarrow'])
      }, 180_000)

      test('reads it as a table of numbers', async ({ skip }) => {
        const executable = python.executable ?? skip(python.why)
        await using board = await openOn(FAST)
        await using acquisition = await board.acquire(options({ channels: three, scanIntervalNs: 30_000, scans: 2 * ROWS + 3 }))
        await acquisition.record(recordOptions()).ended
        const { stdout } = await promisify(execFile)(executable, [fileURLToPath(new URL('read_scans.py', import.meta.url)), target()])
        const { counts, ...read } = JSON.parse(stdout)
        expect(read).toEqual({
          rows: 2 * ROWS + 3,
          types: ['timestamp[ns, tz=UTC]', 'int64', 'double', 'double', 'double'],
          units: ['V', 'V', 'V'],
          steps: [30_000],
          numbered: true,
        })
        expect(firstWrong(counts)).toBe(-1)
      })
    })

    test('an endless one is whole when it is stopped', async () => {
      await using board = await openOn(FAST)
      await using acquisition = await board.acquire(options({ channels: three, scanIntervalNs: 30_000 }))
      const recording = acquisition.record(recordOptions())
      await until(() => recording.progress().written >= 20 * ROWS)
      const { written, state } = await recording.stop()
      const samples = await recorded()
      expect({ state, scans: samples.length / three.length }).toEqual({ state: 'finished', scans: written })
      expect(firstWrong(samples)).toBe(-1)
    })

    test('an acquisition that fails leaves everything before that, and says why', async () => {
      await using board = await openOn(FAST)
      await using acquisition = await board.acquire(options({ channels: three, scanIntervalNs: 30_000 }))
      const recording = acquisition.record(recordOptions())
      await until(() => recording.progress().written >= 5 * ROWS)
      await writeFile(`${files.library}.unplugged`, '')
      const { written, failure } = await recording.ended
      expect(failure).toMatchObject({ code: 'HARDWARE_FAULT' })
      expect(written).toBeGreaterThanOrEqual(5 * ROWS)
      const samples = await recorded()
      expect(samples).toHaveLength(written * three.length)
      expect(firstWrong(samples)).toBe(-1)
    })

    async function readBatchEntry(recording: string, batch: number) {
      await using index = await openBatchIndex(recording)
      return await index?.entry(batch)
    }

    test('a cut file comes back with its whole batches', async () => {
      await using board = await openOn(FAST)
      await using acquisition = await board.acquire(options({ channels: three, scanIntervalNs: 30_000, scans: 10 * ROWS }))
      const { bytes } = await acquisition.record(recordOptions()).ended
      await truncate(target(), bytes - 10_000) // into the last batch
      await truncate(`${target()}.index`, 64 + 5 * 40) // the last entries were not written yet
      const kept = await Promise.all([4, 5].map((batch) => readBatchEntry(target(), batch)))
      expect(await recoverStream(target())).toMatchObject({ rows: 9 * ROWS })
      const [, made] = await Promise.all([4, 8].map((batch) => readBatchEntry(target(), batch)))
      expect(kept).toEqual([await readBatchEntry(target(), 4), undefined])
      expect(made).toMatchObject({ sequence: 8, offset: (kept[0]?.offset ?? 0) + 4 * (kept[0]?.bytes ?? 0) })
      expect(made?.crc32c).toBe(crc32c((await readFile(target())).subarray(made?.offset, (made?.offset ?? 0) + (made?.bytes ?? 0))))
      expect(await readBatchEntry(target(), 9)).toBeUndefined()
      expect(firstWrong(await recorded())).toBe(-1)
    })

    test('a layout that does not hold its columns is refused', async () => {
      await using board = await openOn(FAST)
      await using acquisition = await board.acquire(options({ channels: three, scanIntervalNs: 30_000 }))
      const refused = (more: object) => expect(() => acquisition.record({ ...recordOptions(), ...more })).toThrow(problem('INVALID_VALUE'))
      refused({ valueColumnOffsets: [0, 4096] })
      refused({ valueColumnOffsets: [0, 4096, 1 << 20] })
      refused({ rowCountOffsets: [100_000] })
      refused({ rowsPerBatch: 0 })
    })
  })

  test('what the board would make of one is told before it is given', async () => {
    await using board = await openOn()
    const two = [one, { ...one, channel: 1 }]
    expect(await board.check(options({ channels: two, scanIntervalNs: 100_000 }))).toEqual({ scanIntervalNs: 100_000, convertIntervalNs: 50_000 })
    expect(await board.check(options({ channels: two, scanIntervalNs: 100_030 }))).toEqual({ scanIntervalNs: 100_050, convertIntervalNs: 50_000 })
    await expect(board.check(options({ channels: two, scanIntervalNs: 10_000 }))).rejects.toThrow(/would make 20000 of 10000/)
    expect(await board.read(input(1))).toBeGreaterThan(0) // nothing is under way
  })

  test('the real pace is the one that was asked for, and the values those of the inputs', async () => {
    await using board = await openOn()
    await board.write(output(0), 49_151) // 5 V
    const startMs = performance.now()
    await using acquisition = await board.acquire(options({ channels: [one, { channel: 1, range: 1, reference: 2 }], scanIntervalNs: 100_000, scans: 1000 }))
    expect(acquisition).toMatchObject({ scanIntervalNs: 100_000, convertIntervalNs: 50_000 })
    const { samples } = await drain(acquisition)
    expect(performance.now() - startMs).toBeGreaterThan(95)
    expect(samples).toHaveLength(2000)
    const mean = (from: number) => samples.filter((_, at) => at % 2 === from).reduce((sum, sample) => sum + sample, 0) / 1000
    expect(volts(mean(0), -10, 10)).toBeCloseTo(4.95, 2)
    expect(volts(mean(1), -5, 5)).toBeCloseTo(4.78, 2)
  })

  test('while one is under way the inputs are busy, also for others, and the rest of the board is not', async () => {
    await using board = await openOn()
    await using other = await openOn()
    await using acquisition = await board.acquire(options())
    await expect(board.read(input(0))).rejects.toThrow(problem('DEVICE_BUSY'))
    await expect(board.acquire(options())).rejects.toThrow(problem('DEVICE_BUSY'))
    await expect(other.acquire(options())).rejects.toThrow(problem('DEVICE_BUSY'))
    expect(await board.readLine({ subdevice: DIO, line: 0 })).toBe(true)
    expect((await acquisition.take(10))?.length).toBeGreaterThan(0) // it goes on
    await acquisition.stop()
    expect(await other.read(input(1))).toBeGreaterThan(0)
  })

  test('whoever waits for samples is told when it is stopped', async () => {
    await using board = await openOn()
    await using acquisition = await board.acquire(options({ scanIntervalNs: 800_000_000, channels: [one] }))
    const waiting = acquisition.take(1)
    await acquisition.stop()
    expect(await waiting).toBeUndefined()
  })

  test('a board that is closed stops what is under way', async () => {
    const board = await openOn()
    const acquisition = await board.acquire(options())
    await board[Symbol.asyncDispose]()
    expect((await drain(acquisition)).error).toBeUndefined()
    await using again = await openOn()
    expect(await again.read(input(1))).toBeGreaterThan(0)
  })

  test('a board that is pulled out is an error', async () => {
    await using board = await openOn()
    await using acquisition = await board.acquire(options())
    await acquisition.take(1)
    await writeFile(`${files.library}.unplugged`, '')
    expect((await drain(acquisition)).error).toMatchObject({ code: 'HARDWARE_FAULT', facts: { instrumentCode: '19' } })
  })

  test.each<[Partial<ComediAcquisitionOptions>, RegExp]>([
    [{ scans: 0 }, /scans: 1 to/],
    [{ scanIntervalNs: 0 }, /scanIntervalNs: 1 to/],
    [{ scanIntervalNs: 5000 }, /the board would make 10000 of 5000/],
    [{ channels: [one, one], scanIntervalNs: 10_000 }, /the board would make 20000 of 10000/],
    [{ channels: [] }, /channels: at least one/],
    [{ channels: [{ ...one, channel: 16 }] }, /channel: 16/],
    [{ channels: [{ ...one, range: 14 }] }, /range: 14/],
    [{ subdevice: AO }, /takes no commands/],
    [{ bufferScans: 0 }, /bufferScans/],
  ])('%j is refused, and the board is as free as before', async (more, reason) => {
    await using board = await openOn()
    const refused = expect.objectContaining({ code: 'INVALID_VALUE', message: expect.stringMatching(reason) })
    await expect(board.acquire(options(more))).rejects.toThrow(refused)
    expect(await board.read(input(1))).toBeGreaterThan(0)
  })

  test('the board’s rounding to its clock is told', async () => {
    await using board = await openOn()
    await using acquisition = await board.acquire(options({ scanIntervalNs: 10_020, scans: 1 }))
    expect(acquisition.scanIntervalNs).toBe(10_000)
  })

  /** The board's inputs are free again only when the acquisition is over; while nobody takes, that is never: so the board's own time is looked at. */
  async function overflowed(board: ComediBoard): Promise<boolean> {
    const counter = { subdevice: COUNTER_0, channel: 0, range: 0, reference: 0 }
    if ((await board.read(counter)) === 0) await board.startCounter(COUNTER_0)
    return (await board.read(counter)) > 10_000_000 // half a second: more than twice what there is room for
  }
})
