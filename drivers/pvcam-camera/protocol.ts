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
  /** What a frame shows: the smallest rectangle around `areas`. */
  readonly roi: Roi
  /** What is read out of it, the rest is 0; none: all of it. */
  readonly areas: readonly Roi[]
  readonly binning: number
  readonly exposureSeconds: number
  /** Of the sensor; their means are taken of every frame. */
  readonly regions: readonly Roi[]
  /** PVCAM's numbers, among the camera's own; absent: by itself, and its first one. */
  readonly triggerMode?: number
  readonly exposeOutMode?: number
}

/** What one camera offers. */
export type Limits = {
  /** The same on both axes. */
  readonly binnings: readonly number[]
  readonly exposureSeconds: { readonly minimum: number; readonly maximum: number }
  readonly areas: number
}

/** Of a camera that tells none. Exposure is sent in whole microseconds, an unsigned 32-bit number. */
export const USUAL_LIMITS: Limits = { binnings: [1, 2, 4], exposureSeconds: { minimum: 1e-6, maximum: 4294 }, areas: 1 }
export const EXPOSURE_STEP_SECONDS = 1e-6
const MICROSECONDS = 1e6

const RING_BYTES = 128 * 1024 * 1024 // a third of a second of 2048x2048x16 bit at 43 Hz: longer than any pause of the disk that was seen
const RING_SLOTS_MINIMUM = 8
const RING_SLOTS_MAXIMUM = 1024
const RING_HASH_DIGITS = 12 // enough for the cameras of one host never to meet

export function fullFrame(sensor: Sensor): Roi {
  return { x: 0, y: 0, width: sensor.width, height: sensor.height }
}

/** Throws LimitViolation or InvalidValue. Regions lie on the sensor and are whole numbers of binned pixels, as far apart; nothing is rounded in silence. */
export function checkConfiguration(configuration: Configuration, sensor: Sensor, limits: Limits = USUAL_LIMITS): void {
  const { roi, areas, binning, exposureSeconds, regions } = configuration
  if (!limits.binnings.includes(binning)) throw new InvalidValue(`binning: ${binning} is not allowed; choose one of ${limits.binnings.join(', ')}`, ['binning'])
  for (const area of [...areas, roi]) {
    span('x', area.x, 'width', area.width, sensor.width, binning)
    span('y', area.y, 'height', area.height, sensor.height, binning)
    if ((area.x - roi.x) % binning !== 0 || (area.y - roi.y) % binning !== 0)
      throw new InvalidValue(`roi: regions must lie whole binned pixels apart, multiples of ${binning}`, ['roi'])
  }
  if (areas.length > limits.areas) throw new InvalidValue(`roi: ${areas.length} regions are too many; this camera reads out ${limits.areas} at most`, ['roi'])
  const { minimum, maximum } = limits.exposureSeconds
  if (!(exposureSeconds >= minimum && exposureSeconds <= maximum)) throw new LimitViolation('exposure', exposureSeconds, minimum, maximum, 's')
  frameRegions(regions, roi, binning)
}

/** The smallest rectangle around all of them. */
export function around(areas: readonly [Roi, ...Roi[]]): Roi {
  const x = Math.min(...areas.map((area) => area.x))
  const y = Math.min(...areas.map((area) => area.y))
  return { x, y, width: Math.max(...areas.map((area) => area.x + area.width)) - x, height: Math.max(...areas.map((area) => area.y + area.height)) - y }
}

export function wholeMicroseconds(seconds: number): number {
  return Math.round(seconds * MICROSECONDS) / MICROSECONDS
}

function span(startName: string, start: number, sizeName: string, size: number, available: number, binning: number): void {
  if (!Number.isInteger(start) || start < 0 || start >= available) throw new LimitViolation(`roi.${startName}`, start, 0, available - 1, undefined)
  if (!Number.isInteger(size) || size < binning || start + size > available)
    throw new LimitViolation(`roi.${sizeName}`, size, binning, available - start, undefined)
  if (size % binning !== 0) throw new InvalidValue(`roi.${sizeName}: ${size} is not a multiple of the binning ${binning}`, ['roi', sizeName])
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
