/**
 * What a PVCAM camera may be asked for, as pure functions. The calls themselves are made by the addon, in the order of the "PVCAM 3.10 SDK" manual;
 * this is what must hold before they are.
 */
import { createHash } from 'node:crypto'
import type { Roi } from '../../core/device.ts'
import { InvalidValue, LimitViolation } from '../../core/errors.ts'
import { frameRegions } from '../frame-regions.ts'

export type Sensor = { readonly width: number; readonly height: number; readonly bitDepth: number }
export type Configuration = {
  readonly roi: Roi
  readonly binning: number
  readonly exposureSeconds: number /** Of the sensor; their means are taken of every frame. */
  readonly regions: readonly Roi[]
}

const BINNINGS = [1, 2, 4] as const
/** Exposure is sent in whole microseconds, an unsigned 32-bit number. */
export const EXPOSURE_MINIMUM_SECONDS = 1e-6
export const EXPOSURE_MAXIMUM_SECONDS = 4294
export const SETPOINT_MINIMUM_CELSIUS = -25
export const SETPOINT_MAXIMUM_CELSIUS = 25
const SENSOR_COLDEST_CELSIUS = -100 // no cooled camera of theirs reaches it, and no sensor works at the other: what is beyond was garbled on its way
const SENSOR_WARMEST_CELSIUS = 100

const RING_BYTES = 128 * 1024 * 1024 // a third of a second of 2048x2048x16 bit at 43 Hz: longer than any pause of the disk that was seen
const RING_SLOTS_MINIMUM = 8
const RING_SLOTS_MAXIMUM = 1024
const RING_HASH_DIGITS = 12 // enough for the cameras of one host never to meet

export function fullFrame(sensor: Sensor): Roi {
  return { x: 0, y: 0, width: sensor.width, height: sensor.height }
}

/** Throws LimitViolation or InvalidValue. The region lies on the sensor and is a whole number of binned pixels; nothing is rounded in silence. */
export function checkConfiguration(configuration: Configuration, sensor: Sensor): void {
  const { roi, binning, exposureSeconds, regions } = configuration
  if (!BINNINGS.some((allowed) => allowed === binning))
    throw new InvalidValue(`binning: ${binning} is not allowed; choose one of ${BINNINGS.join(', ')}`, ['binning'])
  span('x', roi.x, 'width', roi.width, sensor.width, binning)
  span('y', roi.y, 'height', roi.height, sensor.height, binning)
  if (!(exposureSeconds >= EXPOSURE_MINIMUM_SECONDS && exposureSeconds <= EXPOSURE_MAXIMUM_SECONDS))
    throw new LimitViolation('exposure', exposureSeconds, EXPOSURE_MINIMUM_SECONDS, EXPOSURE_MAXIMUM_SECONDS, 's')
  frameRegions(regions, roi, binning)
}

function span(startName: string, start: number, sizeName: string, size: number, available: number, binning: number): void {
  if (!Number.isInteger(start) || start < 0 || start >= available) throw new LimitViolation(`roi.${startName}`, start, 0, available - 1, undefined)
  if (!Number.isInteger(size) || size < binning || start + size > available)
    throw new LimitViolation(`roi.${sizeName}`, size, binning, available - start, undefined)
  if (size % binning !== 0) throw new InvalidValue(`roi.${sizeName}: ${size} is not a multiple of the binning ${binning}`, ['roi', sizeName])
}

/** undefined for what no sensor has. */
export function sensorTemperature(celsius: number): number | undefined {
  return celsius > SENSOR_COLDEST_CELSIUS && celsius < SENSOR_WARMEST_CELSIUS ? celsius : undefined
}

export function ringSlots({ roi, binning }: Pick<Configuration, 'roi' | 'binning'>): number {
  const frameBytes = (roi.width / binning) * (roi.height / binning) * 2
  return Math.min(RING_SLOTS_MAXIMUM, Math.max(RING_SLOTS_MINIMUM, Math.floor(RING_BYTES / frameBytes)))
}

/** Always the same for one camera, so that a killed process leaves one file behind at most, which the next stream replaces. Two libraries may have one name. */
export function ringFile(address: string, cameraName: string): string {
  const hash = createHash('sha256').update(`${address}\n${cameraName}`).digest('hex')
  return `${cameraName.replace(/[^\w-]/g, '_')}-${hash.slice(0, RING_HASH_DIGITS)}.ring`
}
