import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { goodValue, never, problemOf, readOne } from '../bench.ts'
import { type BusBench, openBus, over, settled } from './bench.ts'

describe('motion on a pseudo-terminal', () => {
  let bench: BusBench
  beforeEach(async () => {
    bench = await openBus()
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  test('moves, with the bus free for the others meanwhile, and is settled by its own word', async () => {
    bench.timeFactor = 0.05
    await using two = await bench.open()
    await using three = await bench.next(two.port, { busAddress: '3' })
    await two.device.motion?.moveTo(270, never)
    expect(await two.device.motion?.isMoving(never)).toBe(true)
    expect(await goodValue(three, 'position')).toBe(0)
    expect(await two.device.motion?.isMoving(never)).toBe(true)
    bench.timeFactor = 20
    await settled(two.device)
    expect(await goodValue(two.device, 'position')).toBe(270)
    expect(bench.accepted).toEqual(['2ma0001A400'])
  })

  test('homes either way', async () => {
    bench.timeFactor = 20
    await using two = await bench.open({ homeDirection: 'counter-clockwise' })
    await two.device.motion?.home(never)
    expect(two.device.motion?.homed()).toBe(false)
    await settled(two.device)
    expect(two.device.motion?.homed()).toBe(true)
    expect(bench.accepted).toEqual(['2ho1'])
    expect(await goodValue(two.device, 'position')).toBeLessThan(0) // slightly: homing is no more accurate
  })

  test('refuses what is outside its limits before anything is sent', async () => {
    await using two = await bench.open({ maximumDegrees: 90 })
    const { motion, commands } = two.device
    for (const refused of [
      motion?.moveTo(-1, never),
      motion?.moveTo(90.1, never),
      motion?.moveTo(Number.NaN, never),
      commands?.invoke('move_relative', { distance: 91 }, never),
    ]) {
      const problem = await problemOf(refused ?? Promise.resolve())
      expect([problem.code, problem.effect]).toEqual(['LIMIT_VIOLATION', 'NONE'])
    }
    await commands?.invoke('jog_forward', {}, never)
    await over(two.device)
    expect(
      (
        await problemOf(
          commands
            ?.invoke('jog_backward', {}, never)
            .then(() => over(two.device))
            .then(() => commands?.invoke('jog_backward', {}, never)) ?? Promise.resolve(),
        )
      ).code,
    ).toBe('LIMIT_VIOLATION')
    expect(bench.accepted).toEqual(['2fw', '2bw'])
  })

  test('jogs by its own step, and not at all by none: it could turn without an end', async () => {
    bench.timeFactor = 20
    await using two = await bench.open()
    await two.device.write?.('jog_step', 10, never)
    await two.device.commands?.invoke('jog_forward', {}, never)
    await over(two.device)
    expect(await goodValue(two.device, 'position')).toBeCloseTo(10, 2)
    await two.device.write?.('jog_step', 0, never)
    expect(await problemOf(two.device.commands?.invoke('jog_backward', {}, never) ?? Promise.resolve())).toMatchObject({ code: 'CONFLICT', effect: 'NONE' })
    expect(bench.accepted).toEqual(['2sj00000F8E', '2fw', '2sj00000000'])
  })

  test('each documented error of a move is told by name, and where nothing was done that is said', async () => {
    await using two = await bench.open()
    bench.timeFactor = 0.1
    await two.device.motion?.moveTo(180, never)
    bench.bus.provoke('08', 0)
    bench.timeFactor = 10
    const problem = await problemOf(settled(two.device))
    expect([problem.code, problem.facts.instrumentCode, problem.effect]).toEqual(['HARDWARE_FAULT', '08', 'DONE'])
    expect(problem.message).toContain('thermal error')
    await goodValue(two.device, 'position')
    for (const code of ['02', '04', '0D']) {
      bench.line.inject({ kind: 'error', code })
      expect(await readOne(two.device, 'position')).toEqual({ bad: expect.stringContaining(`(${code})`) })
    }
    bench.line.inject({ kind: 'error', code: '04' })
    const refused = await problemOf(two.device.write?.('velocity', 90, never) ?? Promise.resolve())
    expect([refused.facts.instrumentCode, refused.effect]).toEqual(['04', 'NONE'])
    expect(await goodValue(two.device, 'velocity')).toBe(100)
  })

  test('a stalled motor ends in a mechanical time-out', async () => {
    await using two = await bench.open({ minimumVelocity: 0 })
    await two.device.write?.('velocity', 5, never)
    bench.timeFactor = 0.05 // it stalls once the move was taken, and not while its refusal is waited for
    await two.device.motion?.moveTo(10, never)
    bench.timeFactor = 20
    expect((await problemOf(settled(two.device))).facts.instrumentCode).toBe('02')
  })

  test('a module that says ok and stands elsewhere has not moved', async () => {
    await using two = await bench.open()
    bench.timeFactor = 0.05
    await two.device.motion?.moveTo(180, never)
    const module = bench.bus.modules[0]
    module?.obey('st', '', 0) // by its own panel: the clock of the simulation is at its start
    expect((await problemOf(settled(two.device))).message).toContain('not at 180.00°')
  })

  test('a busy module takes no second move', async () => {
    bench.timeFactor = 0.1
    await using two = await bench.open()
    await two.device.motion?.moveTo(180, never)
    const problem = await problemOf(two.device.motion?.moveTo(10, never) ?? Promise.resolve())
    expect([problem.code, problem.effect]).toEqual(['DEVICE_BUSY', 'NONE'])
    bench.timeFactor = 20
    await settled(two.device)
    expect(bench.accepted).toHaveLength(1)
  })

  test('no more than two move together: the third waits for one to stand', async () => {
    await using two = await bench.open()
    await using three = await bench.next(two.port, { busAddress: '3' })
    await using eight = await bench.next(two.port, { busAddress: '8' })
    bench.timeFactor = 0.05
    await two.device.motion?.moveTo(180, never)
    await three.motion?.moveTo(180, never)
    const waiting = eight.motion?.moveTo(180, never)
    expect(await goodValue(eight, 'position')).toBe(0)
    expect(bench.accepted).toEqual(['2ma00011800', '3ma00011800'])
    bench.timeFactor = 20
    await Promise.all([settled(two.device), settled(three), waiting])
    await settled(eight)
    expect(bench.accepted).toEqual(['2ma00011800', '3ma00011800', '8ma00011800'])
    expect(await goodValue(eight, 'position')).toBe(180)
  })

  test('a stop ends the waiting for the others to stand', async () => {
    await using two = await bench.open({ movingTogether: 1 })
    await using three = await bench.next(two.port, { busAddress: '3', movingTogether: 1 })
    bench.timeFactor = 0.05
    await two.device.motion?.moveTo(180, never)
    const waiting = problemOf(three.motion?.moveTo(180, never) ?? Promise.resolve())
    await three.motion?.stop(never)
    expect([(await waiting).code, (await waiting).effect]).toEqual(['CONFLICT', 'NONE'])
    expect(bench.accepted).toEqual(['2ma00011800', '3st'])
  })

  test('a group moves with one command, and every member knows that it moves', async () => {
    await using two = await bench.open()
    await using three = await bench.next(two.port, { busAddress: '3' })
    await three.commands?.invoke('join_group', { address: '2' }, never)
    bench.timeFactor = 0.1
    await two.device.motion?.moveTo(45, never)
    expect(await three.motion?.isMoving(never)).toBe(true)
    bench.timeFactor = 20
    await Promise.all([settled(two.device), settled(three)])
    expect(bench.accepted).toEqual(['3ga2', '2ma00004600', '2ma00004600'].map((text, at) => (at === 2 ? '3ma00004600' : text)))
    expect([await goodValue(two.device, 'position'), await goodValue(three, 'position')]).toEqual([45, 45])
    await two.device.motion?.moveTo(0, never)
    expect(await three.motion?.isMoving(never)).toBe(false)
    await settled(two.device)
  })

  test('searches a resonance and measures a curve; commands that take time are under way until the module is done', async () => {
    bench.timeFactor = 0.05
    await using two = await bench.open()
    await two.device.commands?.invoke('search_resonance', { motor: 1 }, never)
    expect(await two.device.underWay?.(never)).toBe(true)
    bench.timeFactor = 20
    await over(two.device)
    bench.timeFactor = 100
    const curve = await two.device.commands?.invoke('current_curve', { motor: 1 }, never)
    if (!Array.isArray(curve)) throw new Error('no curve')
    expect(curve).toHaveLength(174)
    const peak = curve.findIndex((value, at) => at % 2 === 1 && value === Math.max(...curve.filter((_, other) => other % 2 === 1)))
    expect(curve[peak - 1]).toBeGreaterThan(79_000)
    expect(curve[peak - 1]).toBeLessThan(82_000)
    expect(await goodValue(two.device, 'position')).toBe(0)
    bench.timeFactor = 1000
    await two.device.commands?.invoke('clean', {}, never)
    await over(two.device)
    expect(bench.accepted).toEqual(['2s1', '2c1', '2cm'])
  })

  test('a stop overtakes what waits, and an emergency stop voids it', async () => {
    await using two = await bench.open()
    await using three = await bench.next(two.port, { busAddress: '3' })
    bench.timeFactor = 0.2
    await two.device.motion?.moveTo(180, never)
    await two.device.motion?.stop(never)
    await settled(two.device)
    expect(bench.accepted).toEqual(['2ma00011800', '2st'])
    await three.motion?.moveTo(180, never)
    const waiting = Array.from({ length: 10 }, () => readOne(three, 'position'))
    const { confirmed } = (await three.emergencyStop?.(never)) ?? { confirmed: Promise.resolve(false) }
    expect(await confirmed).toBe(true)
    expect(bench.accepted).toEqual(['2ma00011800', '2st', '3ma00011800', '3st'])
    expect((await Promise.all(waiting)).at(-1)).toEqual({ bad: expect.stringContaining('emergency stop') })
    await settled(three)
  })
})
