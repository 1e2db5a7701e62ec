import { MAX_COMPLETE_MS } from '../../core/command.ts'
import { HardwareFault } from '../../core/errors.ts'
import type { Exchange } from '../transport/serial-line.ts'
import { type Axis, ask, LARGEST, NUMBER, parseNumber } from './protocol.ts'
import { moveBetween, type Ramps } from './trajectory.ts'

export type Limits = { readonly minimum?: number; readonly maximum?: number }
export type Pace = Ramps & { readonly homingVelocity: number; readonly approachVelocity: number }

/** How far an axis may go and how fast it goes, in the unit that it counts in. */
export type Reach = { readonly limits: Limits; readonly pace: Pace }

const MARGIN = 1.5 // softened ramps
const SETTLE_MS = 5000
const SEARCH_TRAVELS = 2 // the software limits stand inside of what a search may cross
const APPROACH_SHARE = 0.1 // of the travel: back from a switch to its edge, and on to an index

export async function readReach(line: Exchange, axis: Axis): Promise<Reach> {
  const minimum = parseNumber(await line.ask(ask.lowerLimit(axis), NUMBER))
  const maximum = parseNumber(await line.ask(ask.upperLimit(axis), NUMBER))
  const rate = async (question: string): Promise<number> => {
    const value = parseNumber(await line.ask(question, NUMBER))
    if (value === undefined) throw new HardwareFault(`${question} was not answered by a number`, 'NONE')
    return value
  }
  return {
    limits: { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) },
    pace: {
      velocity: await rate(ask.velocity(axis)),
      acceleration: await rate(ask.acceleration(axis)),
      deceleration: await rate(ask.deceleration(axis)),
      homingVelocity: await rate(ask.homingVelocity(axis)),
      approachVelocity: await rate(ask.approachVelocity(axis)),
    },
  }
}

/** Of the longest move within the limits, or the longest search for home; at most what any command may take. */
export function longestMotionMs({ limits: { minimum = -LARGEST, maximum = LARGEST }, pace }: Reach): number {
  const travel = maximum - minimum
  const { acceleration, deceleration } = pace
  const secondsFor = (distance: number, velocity: number): number =>
    Math.min(velocity, acceleration, deceleration) > 0 ? moveBetween(0, distance, { velocity, acceleration, deceleration }).durationSeconds : Infinity
  const searchSeconds = secondsFor(SEARCH_TRAVELS * travel, pace.homingVelocity) + secondsFor(APPROACH_SHARE * travel, pace.approachVelocity)
  return Math.min(MARGIN * 1000 * Math.max(secondsFor(travel, pace.velocity), searchSeconds) + SETTLE_MS, MAX_COMPLETE_MS)
}
