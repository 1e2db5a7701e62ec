import { expect } from 'vitest'
import type { DeviceHandle, MotionFacet } from '../../../drivers/driver.ts'
import { until } from '../../until.ts'
import { never, problemOf } from '../bench.ts'
import type { Check, FaultCheck } from './check.ts'
import { goodAgain } from './faults.ts'
import { openDevices } from './instrument.ts'
import { known } from './values.ts'
import { within } from './within.ts'

const STANDS_WITHIN_MS = 60_000
const POSITION_TOLERANCE = 0.02 // of a unit, or the parameter's deadband: an axis comes to rest within its own window
const STOP_WITHIN_MS = 2000 // generous to a machine that does other things; what is looked at is that it does not wait for the line

export const motion: readonly Check[] = [
  {
    name: 'moves to where it is told, and knows by the instrument when it stands',
    onHardware: 'MOVE',
    run: async (start) => {
      await using instrument = await start({ timeFactor: 10 })
      await using opened = await openDevices(instrument)
      for (const { device, axis } of moving(opened.devices)) {
        const from = await position(device, axis)
        const target = targetFrom(axis, from, 0.1)
        await within('starting a move', axis.moveTo(target, never))
        await stands(axis)
        const spec = device.parameters.find(({ name }) => name === axis.positionParameter)
        expect(Math.abs((await position(device, axis)) - target), `from ${from} to ${target}`).toBeLessThanOrEqual(
          Math.max(POSITION_TOLERANCE, 3 * (spec?.deadband ?? 0)),
        )
      }
    },
  },
  {
    name: 'finds home',
    onHardware: 'MOVE',
    run: async (start) => {
      await using instrument = await start({ timeFactor: 10 })
      await using opened = await openDevices(instrument)
      for (const { axis } of moving(opened.devices)) {
        await within('starting the search for home', axis.home(never))
        await stands(axis)
        expect(axis.homed() ?? true).toBe(true)
      }
    },
  },
  {
    name: 'refuses a move beyond its limits before the wire',
    onHardware: 'LOOK',
    run: async (start) => {
      await using instrument = await start()
      await using opened = await openDevices(instrument)
      const accepted = instrument.accepted?.length
      for (const { axis } of moving(opened.devices)) {
        const { minimum, maximum } = axis.limits()
        const beyond = [...(minimum === undefined ? [] : [minimum - 1]), ...(maximum === undefined ? [] : [maximum + 1]), Number.NaN, Number.POSITIVE_INFINITY]
        for (const target of beyond) expect((await problemOf(within('a forbidden move', axis.moveTo(target, never)))).effect, String(target)).toBe('NONE')
      }
      expect(instrument.accepted?.length).toBe(accepted)
    },
  },
  {
    name: 'stops in the midst of a move, past what waits for the line',
    onHardware: 'MOVE',
    run: async (start) => {
      await using instrument = await start()
      await using opened = await openDevices(instrument)
      for (const { device, axis } of moving(opened.devices)) {
        const from = await position(device, axis)
        const target = targetFrom(axis, from, 0.8)
        await within('starting a move', axis.moveTo(target, never))
        await until(async () => Math.abs((await position(device, axis)) - from) > 0, { everyMs: 1, what: 'motion' })
        const names = device.parameters.map(({ name }) => name)
        const waiting = Promise.allSettled(Array.from({ length: 5 }, () => device.read(names, never)))
        await within('the stop', axis.stop(never))
        await stands(axis)
        await within('what waited', waiting)
        expect(Math.abs((await position(device, axis)) - target), 'the rest of the way').toBeGreaterThan(0)
      }
    },
  },
]

export const emergencyStop: readonly FaultCheck[] = [
  {
    name: 'puts an emergency stop on the wire while the line is busy',
    run: async (start) => {
      await using instrument = await start()
      await using opened = await openDevices(instrument, 1)
      const { device } = opened
      if (device.emergencyStop === undefined) {
        expect(device.motion, 'what moves has an emergency stop').toBeUndefined()
        return
      }
      if (device.motion !== undefined)
        await within('starting a move', device.motion.moveTo(targetFrom(device.motion, await position(device, device.motion), 0.8), never))
      const accepted = instrument.accepted.length
      instrument.simulation.inject({ kind: 'silent' })
      const names = device.parameters.map(({ name }) => name)
      const hanging = device.read(names, never).catch(() => undefined)
      await until(() => instrument.simulation.faultsLeft === 0, { what: 'a question that is not answered', everyMs: 1 })
      const stop = await within('the emergency stop', device.emergencyStop(never), STOP_WITHIN_MS)
      if (instrument.simulation.entry.kind === 'library') {
        expect(await within('its confirmation', stop.confirmed, STOP_WITHIN_MS), 'the instrument’s own word').toBe(true) // what a library is told, nobody hears
      } else await until(() => instrument.accepted.length > accepted, { deadlineMs: STOP_WITHIN_MS, everyMs: 1, what: 'the stop at the instrument' })
      await within('the question that was not answered', hanging)
    },
  },
  {
    name: 'moves at most once when the answer to a move goes wrong',
    run: async (start) => {
      await Promise.all(
        (['silent', 'garbage', 'cut', 'foreign'] as const).map(async (kind) => {
          await using instrument = await start({ timeFactor: 10 })
          await using opened = await openDevices(instrument, 1)
          const { motion: axis } = opened.device
          if (axis === undefined) return
          const target = targetFrom(axis, await position(opened.device, axis), 0.1)
          const accepted = instrument.accepted.length
          instrument.simulation.inject({ kind })
          const outcome = await within('a move whose answer goes wrong', axis.moveTo(target, never)).then(
            () => 'DONE',
            (error: { readonly effect?: string }) => error.effect,
          )
          const moves = instrument.accepted.slice(accepted)
          expect(new Set(moves).size, `${moves.join(', ')} after a ${kind} answer: nothing twice`).toBe(moves.length)
          if (moves.length > 0) expect(outcome, `what was said of ${moves.join(', ')}`).not.toBe('NONE')
        }),
      )
    },
  },
]

function moving(devices: readonly DeviceHandle[]): readonly { readonly device: DeviceHandle; readonly axis: MotionFacet }[] {
  return devices.flatMap((device) => (device.motion === undefined ? [] : [{ device, axis: device.motion }]))
}

async function position(device: DeviceHandle, axis: MotionFacet): Promise<number> {
  const value = known(await goodAgain(device, axis.positionParameter)) // on a busy machine a sensor may have been silent for a moment
  return typeof value === 'number' ? value : expect.fail(`the position is ${String(value)}`)
}

/** `part` of the way to the farther limit; of one unit where there is none. */
function targetFrom(axis: MotionFacet, from: number, part: number): number {
  const { minimum, maximum } = axis.limits()
  const [up, down] = [(maximum ?? from + 10) - from, from - (minimum ?? from - 10)]
  return Number((up >= down ? from + part * up : from - part * down).toFixed(2))
}

async function stands(axis: MotionFacet): Promise<void> {
  await until(async () => !(await within('asking whether it moves', axis.isMoving(never))), { deadlineMs: STANDS_WITHIN_MS, everyMs: 10, what: 'rest' })
}
