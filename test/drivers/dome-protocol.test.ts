import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as protocol from '../../drivers/dome-rotator/protocol.ts'
import { rampOf, secondsOf, stepsAfter } from '../../drivers/dome-rotator/ramp.ts'
import { SimulatedDome } from '../../drivers/dome-rotator/simulated-dome.ts'
import { Rp2040Simulator } from '../../drivers/dome-rotator/simulator.ts'
import { stepsOf } from '../../drivers/dome-rotator/turn.ts'

const STEPS_PER_TURN = 1_941_866

describe('the protocol of the motor controller', () => {
  test('commands and replies as they are documented', () => {
    expect(protocol.command.move({ steps: 53_940, direction: 1, delayUs: 260, ramp: 'SCURVE' })).toBe('MOVE 53940 1 260 SCURVE')
    expect(protocol.parseEvent('READY')).toEqual({ kind: 'ready' })
    expect(protocol.parseEvent('OK 53940')).toEqual({ kind: 'ended', steps: 53_940, stopped: false })
    expect(protocol.parseEvent('STOPPED 120')).toEqual({ kind: 'ended', steps: 120, stopped: true })
    expect(protocol.parseEvent('BUSY')).toEqual({ kind: 'busy' })
    expect(protocol.parseEvent('ERROR unknown_command')).toEqual({ kind: 'error', text: 'unknown_command' })
    expect(protocol.parseStatus('IDLE')).toEqual({ moving: false })
    expect(protocol.parseStatus('MOVING 1200')).toEqual({ moving: true, remaining: 1200 })
  })

  test('no text is two things, and none becomes a number that it is not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(OK|STOPPED|MOVING|IDLE|ERROR|READY)?[ \d-]{0,6}$/)), (line) => {
        const [event, status] = [protocol.parseEvent(line), protocol.parseStatus(line)]
        expect(event !== undefined && status !== undefined).toBe(false)
        if (event?.kind === 'ended') expect(line).toBe(`${event.stopped ? 'STOPPED' : 'OK'} ${line.slice(event.stopped ? 8 : 3)}`)
        if (status?.moving === true) expect(Number.isSafeInteger(status.remaining)).toBe(true)
        protocol.parseCommand(line)
      }),
    )
  })

  test('every move is read by the firmware as it was written', () => {
    fc.assert(
      fc.property(
        fc.record({
          steps: fc.integer({ min: 1, max: 4_000_000 }),
          direction: fc.constantFrom(0 as const, 1 as const),
          delayUs: fc.integer({ min: 50, max: 100_000 }),
          ramp: fc.constantFrom('SCURVE' as const, 'LINEAR' as const, 'NONE' as const),
        }),
        (move) => {
          expect(protocol.parseCommand(protocol.command.move(move))).toEqual(move)
        },
      ),
    )
  })
})

describe('the ramp', () => {
  test.each([
    [0, 3000],
    [125, 2807],
    [250, 1630],
    [375, 452],
    [450, 291],
    [499, 260],
  ])('waits after step %d for %d us', (index, delayUs) => {
    expect(Math.round(rampOf(53_940, 260, 'SCURVE').risingUs[index] ?? 0)).toBe(delayUs)
  })

  test('lasts 0.816 s up and 0.813 s down', () => {
    const { risingUs, fallingUs } = rampOf(53_940, 260, 'SCURVE')
    const seconds = (delays: Float64Array): number => delays.reduce((sum, delay) => sum + delay, 0) / 1e6
    expect(seconds(risingUs)).toBeCloseTo(0.816, 3)
    expect(seconds(fallingUs)).toBeCloseTo(0.813, 3)
  })

  test.each([
    [1, 2.77],
    [3, 5.58],
    [10, 15.4],
    [45, 64.5],
    [90, 127.6],
    [180, 253.8],
  ])('a move of %d deg takes %d s', (degrees, seconds) => {
    const steps = stepsOf(degrees, STEPS_PER_TURN)
    const took = secondsOf(rampOf(steps, 260, 'SCURVE'), steps)
    expect(Math.abs(took - seconds)).toBeLessThanOrEqual(seconds < 10 ? 0.005 : 0.05)
  })

  test('short moves have none, or a quarter of themselves', () => {
    expect(rampOf(199, 260, 'SCURVE').risingUs).toHaveLength(0)
    expect(rampOf(200, 260, 'SCURVE').risingUs).toHaveLength(50)
    expect(rampOf(999, 260, 'SCURVE').fallingUs).toHaveLength(249)
    expect(rampOf(1000, 260, 'SCURVE').risingUs).toHaveLength(500)
    expect(rampOf(1000, 260, 'NONE').risingUs).toHaveLength(0)
    expect(rampOf(1000, 260, 'LINEAR').risingUs[250]).toBe(1630)
  })

  test('ten warm-up steps of 10 ms may come before it, and count', () => {
    const ramp = rampOf(53_940, 260, 'SCURVE', { steps: 10, delayUs: 10_000 })
    expect([...ramp.risingUs.slice(0, 11)]).toEqual([...new Array<number>(10).fill(10_000), 3000])
    expect(ramp.risingUs).toHaveLength(510)
  })

  test('10 deg are 53940 steps, and less than one is none', () => {
    expect(stepsOf(10, STEPS_PER_TURN)).toBe(53_940)
    expect(stepsOf(-10, STEPS_PER_TURN)).toBe(53_940)
    expect(stepsOf(0.0001, STEPS_PER_TURN)).toBe(0)
  })

  test('steps and seconds are each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (steps, part) => {
        const ramp = rampOf(steps, 260, 'SCURVE')
        const made = Math.floor(part * (steps - 1))
        expect(stepsAfter(ramp, steps, secondsOf(ramp, steps, made) + 1e-9)).toBe(made + 1)
      }),
    )
  })
})

describe('the simulated controller', () => {
  const make = (options?: { readonly boots: boolean }) => {
    const accepted: string[] = []
    const dome = new SimulatedDome({ random: () => 0.5, slip: 0, backlash: 0 })
    const simulator = new Rp2040Simulator({ random: () => 0.5, accepted: (command) => accepted.push(command) }, dome, options)
    const ask = (text: string, seconds: number): string => Buffer.from(simulator.receive(Buffer.from(text === '' ? '' : `${text}\n`), seconds)).toString()
    return { simulator, accepted, dome, ask }
  }

  test('answers in the words of the firmware', () => {
    const { ask } = make({ boots: true })
    expect(ask('STATUS', 0)).toBe('READY\nIDLE\n')
    expect(ask('HELLO', 1)).toBe('ERROR unknown_command\n')
    expect(ask('MOVE 10 1 260', 1)).toBe('ERROR invalid_command\n')
    expect(ask('MOVE 10 1 260 SCURVE extra', 1)).toBe('ERROR invalid_command\n')
    expect(ask('MOVE 0 1 260 SCURVE', 1)).toMatch(/^ERROR /)
    expect(ask('MOVE 10 2 260 SCURVE', 1)).toMatch(/^ERROR /)
    expect(ask('MOVE 10 1 0 SCURVE', 1)).toMatch(/^ERROR /)
    expect(ask('STOP', 1)).toBe('')
  })

  test('says OK when the move has ended, after as long as its ramp takes', () => {
    const { ask, simulator, dome } = make()
    expect(ask('MOVE 53940 1 260 SCURVE', 100)).toBe('')
    expect(simulator.dueAt()).toBeCloseTo(115.4, 1)
    expect(ask('', 115.3)).toBe('')
    expect(ask('', 115.45)).toBe('OK 53940\n')
    expect(dome.azimuth).toBeCloseTo(40 + 53_940 / 5394.07, 6)
    expect(simulator.dueAt()).toBeUndefined()
  })

  test('looks at its port every 10 ms at speed, and every 100 steps in a ramp', () => {
    const { ask, simulator, accepted } = make()
    ask('MOVE 53940 1 260 SCURVE', 0)
    expect(ask('STATUS', 0.05)).toBe('')
    expect(simulator.dueAt()).toBeCloseTo(0.296, 2)
    expect(ask('', 0.3)).toBe('MOVING 53840\n')
    expect(ask('MOVE 1 1 260 NONE', 5.001)).toBe('')
    expect(ask('STOP', 5.002)).toBe('')
    const answer = ask('', 5.0101)
    expect(answer).toMatch(/^BUSY\nSTOPPED \d+\n$/)
    const made = Number(/STOPPED (\d+)/.exec(answer)?.[1])
    expect(Math.abs(made - stepsAfter(rampOf(53_940, 260, 'SCURVE'), 53_940, 5.01))).toBeLessThan(3)
    expect(ask('STATUS', 6)).toBe('IDLE\n')
    expect(accepted).toEqual(['MOVE 53940 1 260 SCURVE', 'STOP'])
  })

  test('a dome with backlash and slip goes less far than its motor', () => {
    const dome = new SimulatedDome({ random: () => 0.5, slip: 0.01, backlash: 0.1, azimuth: 0 })
    dome.step(53_940)
    expect(dome.azimuth).toBeCloseTo(10 * 0.99, 2)
    dome.step(-53_940)
    expect(dome.azimuth).toBeCloseTo(0.1 * 0.99, 2)
    dome.step(53_940)
    expect(dome.azimuth).toBeCloseTo(10 * 0.99, 2)
  })
})
