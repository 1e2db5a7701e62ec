import { shortestArc, wrap360 } from '../../core/dome-geometry.ts'
import { DeadlineExceeded, HardwareFault } from '../../core/errors.ts'
import type { AzimuthReading } from './wheel-count.ts'

/** A move of the dome that is verified by its encoder: what the motor was told and where the dome is are two things (slip, backlash). */

/** The dome as this needs it. */
export interface Turning {
  azimuth(): AzimuthReading
  /** Turns by so many degrees, rising positive, and returns when the motor stands. */
  turn(degrees: number): Promise<void>
  /** Until the filter of the encoder has seen the dome at rest. */
  settle(): Promise<void>
  seconds(): number
}

export type FeedbackRules = {
  /** Degrees. */
  readonly tolerance: number
  readonly corrections: number
  /** Of the whole, in seconds. */
  readonly limitSeconds: number
  readonly sector?: Sector
}

/** The azimuths where the dome may be, from `minimum` rising to `maximum`. */
export type Sector = { readonly minimum: number; readonly maximum: number }

const LARGEST_CORRECTION = 20 // degrees; a move that ends so far off has not been a move of this dome
const STILL = 0.1 // degrees: less is no motion
const STILL_IN_A_ROW = 3
const STILL_TOTAL = 1 // degrees
const NEAR_ENOUGH_WHEN_LATE = 2 // degrees: a move that has used up its time so near has not failed

/** The short way; where there is a sector, the way that stays in it. */
export function wayTo(from: number, to: number, sector: Sector | undefined): number {
  if (sector === undefined) return shortestArc(from, to)
  const width = widthOf(sector)
  const [here, there] = [wrap360(from - sector.minimum), wrap360(to - sector.minimum)]
  return here > width ? shortestArc(from, to) : there - here
}

export function isWithin(azimuth: number, sector: Sector): boolean {
  return wrap360(azimuth - sector.minimum) <= widthOf(sector)
}

/** Whether a turn by so many degrees ends in the sector and never leaves it. */
export function staysWithin(from: number, degrees: number, sector: Sector): boolean {
  const there = wrap360(from - sector.minimum) + degrees
  return there >= 0 && there <= widthOf(sector)
}

function widthOf({ minimum, maximum }: Sector): number {
  return maximum - minimum === 360 ? 360 : wrap360(maximum - minimum)
}

/** Throws HardwareFault, with a code of its own for each way to fail, or DeadlineExceeded. */
export async function goTo(target: number, dome: Turning, rules: FeedbackRules, log: (message: string) => void): Promise<void> {
  const start = dome.seconds()
  let from = azimuthOf(dome, 'NONE')
  let still: readonly number[] = []
  for (let correction = 0; ; correction += 1) {
    await dome.turn(wayTo(from, target, rules.sector))
    await dome.settle()
    const now = azimuthOf(dome, 'DONE')
    const error = shortestArc(now, target)
    if (Math.abs(error) <= rules.tolerance) return
    const where = `the dome is at ${now.toFixed(2)} deg and should be at ${target.toFixed(2)}`
    const moved = Math.abs(shortestArc(from, now))
    still = moved < STILL ? [...still, moved] : []
    if (still.length >= STILL_IN_A_ROW && still.reduce((sum, part) => sum + part, 0) < STILL_TOTAL)
      throw fault('STAGNATION', `${where}: the motor turns, and the encoder does not`)
    if (Math.abs(error) >= LARGEST_CORRECTION) throw fault('TOO_FAR_OFF', `${where}; no correction is larger than ${LARGEST_CORRECTION} deg`)
    if (dome.seconds() - start > rules.limitSeconds) {
      if (Math.abs(error) > NEAR_ENOUGH_WHEN_LATE)
        throw new DeadlineExceeded(`${where} after ${rules.limitSeconds.toFixed(0)} s`, rules.limitSeconds * 1000, 'DONE').with({ instrumentCode: 'LATE' })
      log(`${where}; the move has used up its ${rules.limitSeconds.toFixed(0)} s`)
      return
    }
    if (correction >= rules.corrections) throw fault('NOT_ARRIVED', `${where} after ${correction} corrections`)
    from = now
  }
}

function azimuthOf(dome: Turning, effect: 'NONE' | 'DONE'): number {
  const reading = dome.azimuth()
  if ('bad' in reading) throw new HardwareFault(`motion is held: ${reading.bad}`, effect, { instrumentCode: 'ENCODER' })
  return reading.azimuth
}

function fault(code: string, message: string): HardwareFault {
  return new HardwareFault(message, 'DONE', { instrumentCode: code })
}
