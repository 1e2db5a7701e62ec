import { describe, expect, test } from 'vitest'
import { openComedi, pvcamSimulatorPath } from '../../native/devices.ts'
import type { ComediBoard } from '../../native/types.ts'
import { until } from '../until.ts'
import { AI, AO, COUNTER_0, COUNTER_1, comediFiles, DEVICE, DIO, FREQUENCY, input, openOn as openBoard, output, problem, volts } from './comedi-bench.ts'

const files = comediFiles()
const openOn = (bench = ''): Promise<ComediBoard> => openBoard(files, bench)

describe('the board', () => {
  test('says what it is, subdevice by subdevice', async () => {
    await using board = await openOn()
    expect(board).toMatchObject({ driver: 'ni_pcimio', board: 'pci-mio-16xe-10', version: '0.11.0' })
    expect(board.subdevices.map(({ kind, channels }) => `${kind} ${channels}`)).toEqual([
      'ANALOG_IN 16',
      'ANALOG_OUT 2',
      'DIGITAL_IO 8',
      'UNUSED 0',
      'UNUSED 0',
      'OTHER 11',
      'OTHER 512',
      'DIGITAL_IO 10',
      'UNUSED 0',
      'OTHER 1',
      'DIGITAL_IO 8',
      'COUNTER 3',
      'COUNTER 3',
      'COUNTER 1',
    ])
    expect(board.subdevices.filter(({ acquires }) => acquires)).toEqual([board.subdevices[AI]])
    expect(board.subdevices[AI]?.references).toEqual(['GROUND', 'COMMON', 'DIFFERENTIAL', 'OTHER'])
    expect(board.subdevices[AI]?.ranges.map(({ minimum, maximum, unit }) => `${minimum} ${maximum} ${unit}`)).toEqual(
      [10, 5, 2, 1, 0.5, 0.2, 0.1].map((span) => `${-span} ${span} V`).concat([10, 5, 2, 1, 0.5, 0.2, 0.1].map((span) => `0 ${span} V`)),
    )
    expect(board.subdevices[AO]?.ranges).toMatchObject([
      { minimum: -10, maximum: 10, unit: 'V' },
      { minimum: 0, maximum: 10, unit: 'V' },
      { unit: undefined },
      { unit: undefined },
    ])
  })

  test('opens and closes fifty times, and twice at once', async () => {
    for (let round = 0; round < 50; round += 1) await (await openOn())[Symbol.asyncDispose]()
    await using first = await openOn()
    await using second = await openOn()
    expect(await first.read(input(1))).toBeGreaterThan(0)
    expect(await second.read(input(1))).toBeGreaterThan(0)
  })

  test('what cannot be opened says why, with the code of Comedi', async () => {
    await expect(openComedi('/nowhere/libcomedi.so', DEVICE)).rejects.toThrow(/cannot load the Comedi library/)
    await expect(openComedi(pvcamSimulatorPath(), DEVICE)).rejects.toThrow(/is not a Comedi library: it has no function comedi_open/)
    await expect(openComedi(files.library, '/dev/comedi9')).rejects.toThrow(problem('HARDWARE_FAULT', { facts: { instrumentCode: '2', effect: 'NONE' } }))
    await expect(openComedi(files.library, '/dev/comedi9')).rejects.toThrow('comedi_open: No such file or directory (Comedi error 2)')
  })
})

describe('single values', () => {
  test('go out on DAC0 and come back on ACH0, in every range, within the loop’s own error', async () => {
    await using board = await openOn()
    for (const [raw, wanted] of [
      [0, -10],
      [32_768, 0.000_15],
      [40_000, 2.207],
      [65_535, 10],
    ] as const) {
      expect(volts(raw, -10, 10)).toBeCloseTo(wanted, 3)
      await board.write(output(0), raw)
      expect(await board.read(output(0))).toBe(raw)
      expect(Math.abs(volts(await board.read(input(0)), -10, 10) - wanted)).toBeLessThan(0.06)
    }
    await board.write(output(0, 1), 65_535 / 5) // 2 V of 0 … 10
    expect(volts(await board.read(input(0)), -10, 10)).toBeCloseTo(1.95, 2)
    expect(volts(await board.read(input(0, 8)), 0, 5)).toBeCloseTo(1.95, 2)
    expect(await board.read(input(0, 3))).toBe(65_535) // more than the ±1 V that it can tell
  })

  test('are measured against the reference that is asked for', async () => {
    await using board = await openOn()
    expect(volts(await board.read(input(1, 1, 0)), -5, 5)).toBeCloseTo(4.78, 2)
    expect(volts(await board.read(input(1, 1, 2)), -5, 5)).toBeCloseTo(4.78, 2)
    expect(volts(await board.read(input(1, 6, 3)), -0.1, 0.1)).toBeCloseTo(0, 2) // its own ground
  })

  test.each([
    [{ ...input(16) }, 'channel'],
    [{ ...input(0, 14) }, 'range'],
    [{ ...input(0, 0, 4) }, 'reference'],
    [{ ...input(0), subdevice: 14 }, 'subdevice'],
    [{ ...input(0), subdevice: 3 }, 'channel'],
  ])('%j never reaches the library', async (channel, name) => {
    await using board = await openOn()
    await expect(board.read(channel)).rejects.toThrow(problem('INVALID_VALUE', { facts: expect.objectContaining({ path: [name] }) }))
    await expect(board.read({ ...input(0), channel: -1 })).rejects.toThrow(/channel: a whole number/)
    await expect(board.write(output(0), 65_536)).rejects.toThrow(problem('INVALID_VALUE'))
  })
})

describe('digital lines', () => {
  test('float high, are driven once they are outputs, one by one or as a field', async () => {
    await using board = await openOn()
    const line = { subdevice: DIO, line: 3 }
    expect([await board.lineIsOutput(line), await board.readLine(line)]).toEqual([false, true])
    await board.writeLine(line, false)
    expect(await board.readLine(line)).toBe(true)
    await board.configureLine(line, true)
    expect([await board.lineIsOutput(line), await board.readLine(line)]).toEqual([true, false])
    expect(await board.bits({ subdevice: DIO, mask: 0, bits: 0, base: 0 })).toBe(0b1111_0111)
    for (let each = 0; each < 8; each += 1) await board.configureLine({ subdevice: DIO, line: each }, true)
    expect(await board.bits({ subdevice: DIO, mask: 0b1111_1111, bits: 0b1010_0101, base: 0 })).toBe(0b1010_0101)
    expect(await board.bits({ subdevice: DIO, mask: 0b0011, bits: 0b0001, base: 4 })).toBe(0b1001)
    expect(await board.bits({ subdevice: DIO, mask: 0, bits: 0, base: 0 })).toBe(0b1001_0101)
  })

  test('what there is not is refused', async () => {
    await using board = await openOn()
    await expect(board.readLine({ subdevice: DIO, line: 8 })).rejects.toThrow(problem('INVALID_VALUE'))
    await expect(board.writeLine({ subdevice: AI, line: 0 }, true)).rejects.toThrow(problem('INVALID_VALUE'))
    await expect(board.bits({ subdevice: DIO, mask: 0x100, bits: 0, base: 0 })).rejects.toThrow(problem('INVALID_VALUE'))
    await expect(board.bits({ subdevice: DIO, mask: 0x10, bits: 0, base: 4 })).rejects.toThrow(problem('INVALID_VALUE'))
  })
})

describe('counters', () => {
  const of = (subdevice: number, channel = 0) => ({ subdevice, channel, range: 0, reference: 0 })

  test('are loaded, count from 0 once started, keep their count when stopped, and stand at 0 when reset', async () => {
    await using board = await openOn()
    await board.write(of(COUNTER_1), 0xabcdef)
    expect(await board.read(of(COUNTER_1))).toBe(0xabcdef)
    await expect(board.write(of(COUNTER_1), 0x1000000)).rejects.toThrow(problem('INVALID_VALUE'))
    expect([await board.read(of(COUNTER_0)), await board.counterRuns(COUNTER_0)]).toEqual([0, false])
    await board.startCounter(COUNTER_0)
    expect(await board.counterRuns(COUNTER_0)).toBe(true)
    await until(async () => (await board.read(of(COUNTER_0))) > 0)
    await board.stopCounter(COUNTER_0)
    const stood = await board.read(of(COUNTER_0))
    expect(await board.counterRuns(COUNTER_0)).toBe(false)
    expect(await board.read(of(COUNTER_0))).toBe(stood)
    await board.resetCounter(COUNTER_0)
    expect(await board.read(of(COUNTER_0))).toBe(0)
    await expect(board.startCounter(AI)).rejects.toThrow(problem('INVALID_VALUE'))
  })

  test('count the edges at a pin, of the slope that is asked for, while their gate is high', async () => {
    await using board = await openOn()
    const line = (number: number) => ({ subdevice: DIO, line: number })
    const drive = (number: number, high: boolean) => board.writeLine(line(number), high)
    for (const each of [0, 1]) await board.configureLine(line(each), true) // DIO0 leads to PFI0, DIO1 to PFI9
    await board.startCounter(COUNTER_0, { edges: { pin: 0, falling: false }, gatePin: 9 })
    await board.startCounter(COUNTER_1, { edges: { pin: 0, falling: true } })
    for (const [open, pulses] of [
      [true, 5],
      [false, 7],
      [true, 3],
    ] as const) {
      await drive(1, open)
      for (let pulse = 0; pulse < pulses; pulse += 1) {
        await drive(0, true)
        await drive(0, false)
      }
    }
    await drive(0, true)
    expect([await board.read(of(COUNTER_0)), await board.read(of(COUNTER_1))]).toEqual([9, 15])
    await expect(board.startCounter(COUNTER_0, { edges: { pin: 10, falling: false } })).rejects.toThrow(/pin: 10 is not one of 10/)
    await expect(board.startCounter(COUNTER_0, { gatePin: 10 })).rejects.toThrow(problem('INVALID_VALUE'))
  })

  /** Counts of `counted` in those of a reference at 100 kHz. */
  async function countedAgainst(board: ComediBoard, reference: number, counted: number): Promise<number> {
    /** The count, and the reference at that moment: what a busy machine has drawn apart is read again. */
    const read = () =>
      until(
        async () => {
          const [before, count, after] = [await board.read(of(reference)), await board.read(of(counted)), await board.read(of(reference))]
          return after - before < 300 && ([count, before] as const)
        },
        { deadlineMs: 30_000 },
      )
    const [first, firstTicks] = await read()
    const [last, lastTicks] = await until(async () => {
      const [count, ticks] = await read()
      return ticks - firstTicks > 20_000 ? ([count, ticks] as const) : undefined
    })
    return (last - first) / (lastTicks - firstTicks)
  }

  test('the frequency output divides its clock, and a counter counts it', async () => {
    await using board = await openOn()
    await board.outputFrequency(FREQUENCY, { slow: true, divider: 4 }) // leads to PFI8
    await board.startCounter(COUNTER_1, { edges: { pin: 8, falling: false } })
    await board.startCounter(COUNTER_0, { slow: true })
    expect(await countedAgainst(board, COUNTER_0, COUNTER_1)).toBeCloseTo(0.25, 2)
    await board.outputFrequency(FREQUENCY, { slow: true, divider: 16 })
    expect(await board.read(of(FREQUENCY))).toBe(0) // of four bits
    expect(await countedAgainst(board, COUNTER_0, COUNTER_1)).toBeCloseTo(1 / 16, 2)
    await expect(board.outputFrequency(FREQUENCY, { slow: false, divider: 17 })).rejects.toThrow(/divider: 1 to 16/)
    await expect(board.outputFrequency(FREQUENCY, { slow: false, divider: 0 })).rejects.toThrow(problem('INVALID_VALUE'))
  })

  test('pulses of one are counted by the other, and end when it is stopped', async () => {
    await using board = await openOn()
    await board.startPulses(COUNTER_0, { low: 300, high: 100 }) // 50 kHz, at PFI3
    expect([await board.read(of(COUNTER_0, 1)), await board.read(of(COUNTER_0, 2))]).toEqual([300, 100])
    const startMs = performance.now()
    await board.startCounter(COUNTER_1, { edges: { pin: 3, falling: false } })
    await until(async () => (await board.read(of(COUNTER_1))) >= 5000)
    expect(performance.now() - startMs).toBeGreaterThan(90) // a tenth of a second's pulses
    await board.stopCounter(COUNTER_0)
    const count = await board.read(of(COUNTER_1))
    expect(await board.read(of(COUNTER_1))).toBe(count)
    await expect(board.startPulses(COUNTER_0, { low: 1, high: 100 })).rejects.toThrow(/2 to 16777215/)
    await expect(board.startPulses(FREQUENCY, { low: 2, high: 2 })).rejects.toThrow(/makes no pulses/)
  })
})
