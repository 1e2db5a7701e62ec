import type { PvcamCamera, PvcamChoice } from '../../native/pvcam-types.ts'
import { named } from './camera-parameters.ts'
import { EXPOSURE_RESOLUTION_SECONDS, ID, INTERNAL_TRIGGER, SOFTWARE_EDGE, SOFTWARE_FIRST, TIMED } from './ids.ts'
import { type Limits, USUAL_LIMITS } from './protocol.ts'

/** What a stream of this camera can be: read once, when it is opened. */
export type StreamModes = {
  readonly triggers: readonly PvcamChoice[]
  readonly exposeOuts: readonly PvcamChoice[]
  readonly binnings: readonly PvcamChoice[]
  readonly limits: Limits
}

const LONGEST_SECONDS = 1e6 // eleven days: what is longer is a mistake

export async function readStreamModes(camera: PvcamCamera): Promise<StreamModes> {
  const [triggers, exposeOuts, serial, parallel, count] = await camera.describe([
    ID.EXPOSURE_MODE,
    ID.EXPOSE_OUT_MODE,
    ID.BINNING_SERIAL,
    ID.BINNING_PARALLEL,
    ID.REGION_COUNT,
  ])
  const binnings = pairs(serial?.choices ?? [], parallel?.choices ?? [])
  return {
    triggers: named(triggers?.choices ?? []),
    exposeOuts: named(exposeOuts?.choices ?? []),
    binnings,
    limits: {
      binnings: binnings.map(({ value }) => value),
      exposureSeconds: await exposureRange(camera),
      areas: typeof count?.maximum === 'number' && count.maximum > 1 ? count.maximum : USUAL_LIMITS.areas,
    },
  }
}

/** The two lists are of pairs. Only those that are the same on both axes: regions and frames are told with one number. */
function pairs(serial: readonly PvcamChoice[], parallel: readonly PvcamChoice[]): readonly PvcamChoice[] {
  const same = serial.filter(({ value }, at) => value > 0 && (parallel[at]?.value ?? value) === value)
  return same.length > 0 ? named(same) : USUAL_LIMITS.binnings.map((value) => ({ value, name: `${value}x${value}` }))
}

/** Over all resolutions that the camera has: the addon takes the finest that fits. */
async function exposureRange(camera: PvcamCamera): Promise<Limits['exposureSeconds']> {
  const [resolutions, time] = await camera.describe([ID.EXPOSURE_RESOLUTION, ID.EXPOSURE_TIME])
  if (resolutions === undefined || time === undefined || resolutions.access !== 'READ_WRITE') return USUAL_LIMITS.exposureSeconds
  const [was] = await camera.get([ID.EXPOSURE_RESOLUTION])
  let range: Limits['exposureSeconds'] | undefined
  for (const { value } of resolutions.choices) {
    const unitSeconds = EXPOSURE_RESOLUTION_SECONDS.get(value)
    if (unitSeconds === undefined) continue
    await camera.set(ID.EXPOSURE_RESOLUTION, value)
    const [described] = await camera.describe([ID.EXPOSURE_TIME])
    const [least, most] = [Math.max(1, Number(described?.minimum ?? 1)) * unitSeconds, Number(described?.maximum ?? 0) * unitSeconds]
    range = { minimum: Math.min(range?.minimum ?? least, least), maximum: Math.max(range?.maximum ?? 0, most) }
  }
  if (typeof was === 'number') await camera.set(ID.EXPOSURE_RESOLUTION, was)
  return range !== undefined && range.minimum < range.maximum ? { ...range, maximum: Math.min(range.maximum, LONGEST_SECONDS) } : USUAL_LIMITS.exposureSeconds
}

/** Whether frames come without anything from outside. */
export function runsByItself(mode: number | undefined): boolean {
  return mode === undefined || mode === INTERNAL_TRIGGER || mode === TIMED
}

export function isSoftwareTriggered(mode: number | undefined): boolean {
  return mode === SOFTWARE_FIRST || mode === SOFTWARE_EDGE
}
