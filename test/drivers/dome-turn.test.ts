import { afterEach, describe, expect, test, vi } from 'vitest'
import { HardwareFault } from '../../core/errors.ts'
import { CalibrationReport, sweep } from '../../drivers/dome-rotator/calibration.ts'
import type { DomeMotor, MoveEnd } from '../../drivers/dome-rotator/motor.ts'
import type { ControllerStatus } from '../../drivers/dome-rotator/protocol.ts'
import { StepCount } from '../../drivers/dome-rotator/step-count.ts'
import { Turn } from '../../drivers/dome-rotator/turn.ts'
import { never, problemOf } from './bench.ts'

const STEPS_PER_TURN = 1_941_866
const DRIVE = { delayUs: 260, ramp: 'SCURVE', rising: 1, stepsPerRevolution: STEPS_PER_TURN } as const

/** A motor that has accepted a move and says of it what it is told to; a stop ends it after `stoppedAfter` steps. */
function motor(status: () => ControllerStatus, stoppedAfter = 100) {
  let stops = 0
  let end: (made: MoveEnd) => void = () => undefined
  const ended = new Promise<MoveEnd>((resolve) => {
    end = resolve
  })
  const it: DomeMotor = {
    address: 'nowhere',
    identity: 'a motor',
    lost: never,
    start: async () => ({ ended }),
    status: async () => status(),
    stop: async () => {
      stops += 1
      end({ steps: stoppedAfter, stopped: true })
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  return { it, stops: () => stops }
}

async function turning(it: DomeMotor, count = new StepCount(STEPS_PER_TURN / 360)): Promise<Turn> {
  const turn = new Turn({ motor: it, encoder: undefined, count, drive: DRIVE }, 10)
  await turn.begin(never)
  return turn
}

describe('a turn of the motor', () => {
  afterEach(() => vi.useRealTimers())

  test('is stopped when nobody knows any more what the motor does: after three questions without an answer, not after two', async () => {
    let unanswered = 0
    const silent = motor(() => {
      unanswered += 1
      if (unanswered === 3) return { moving: true, remaining: 50_000 }
      throw new HardwareFault('no answer', 'NONE')
    })
    expect(await problemOf((await turning(silent.it)).finish(never))).toMatchObject({ effect: 'DONE', facts: { instrumentCode: 'NO_STATUS' } })
    expect([unanswered, silent.stops()]).toEqual([6, 1])
  })

  test('is stopped when it takes longer than its steps may, as DriftApp reckons: 500 us each and five seconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const endless = motor(() => ({ moving: true, remaining: 1 }))
    const count = new StepCount(STEPS_PER_TURN / 360)
    const finished = problemOf((await turning(endless.it, count)).finish(never))
    vi.advanceTimersByTime((53_940 * 500) / 1000 + 5001)
    expect(await finished).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'DONE', facts: { instrumentCode: 'LATE' } })
    expect(endless.stops()).toBe(1)
    expect(count.made).toBe(100) // as many as it has said
  })
})

test('a calibration gives up after 180 s', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const report = new CalibrationReport()
    const enough: boolean[] = []
    const turn = async (_degrees: number, isEnough: () => boolean = () => false): Promise<void> => {
      vi.advanceTimersByTime(enough.length === 0 ? 179_000 : 2000)
      enough.push(isEnough())
    }
    expect(await problemOf(sweep(report, turn))).toMatchObject({ facts: { instrumentCode: 'NO_SWITCH' } })
    expect(enough).toEqual([false, true])
    expect([report.read('calibration_status'), report.read('calibration_duration')]).toEqual(['degraded', 181])
  } finally {
    vi.useRealTimers()
  }
})
