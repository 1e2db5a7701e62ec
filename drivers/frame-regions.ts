import type { Roi } from '../core/device.ts'
import { InvalidValue } from '../core/errors.ts'
import { MAX_STATISTICS_REGIONS } from '../native/types.ts'

/** The regions of a camera's frames whose means are taken, as a text: `x,y,width,height` of each, in pixels of the sensor, with semicolons between them. */
export const REGIONS_PARAMETER = 'statistics_regions'

const REGION = /^(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})$/ // nine digits: more than any sensor has, and exact as a number

/** Throws InvalidValue. No text: no region. Where they lie is checked by frameRegions. */
export function parseRegions(text: string, parameter = REGIONS_PARAMETER, most = MAX_STATISTICS_REGIONS): readonly Roi[] {
  const parts = text.replaceAll(/\s/g, '')
  if (parts === '') return []
  const regions = parts.split(';').map((part) => {
    const [x, y, width, height] = REGION.exec(part)?.slice(1).map(Number) ?? []
    if (x === undefined || y === undefined || width === undefined || height === undefined)
      throw refused(
        parameter,
        `${JSON.stringify(part.slice(0, 80))} is no region; give x,y,width,height of each in pixels of the sensor, with semicolons between them`,
      )
    return { x, y, width, height }
  })
  if (regions.length > most) throw refused(parameter, `${regions.length} regions are too many; give at most ${most}`)
  return regions
}

export function formatRegions(regions: readonly Roi[]): string {
  return regions.map(({ x, y, width, height }) => `${x},${y},${width},${height}`).join('; ')
}

/**
 * Where regions of the sensor lie in the frames of a camera that shows `roi` of it, binned. Throws InvalidValue for a region that is not inside, or that would cut
 * through a binned pixel: nothing is rounded in silence.
 */
export function frameRegions(regions: readonly Roi[], roi: Roi, binning: number): readonly Roi[] {
  return regions.map((region, at) => {
    const name = `region ${at + 1} (${formatRegions([region])})`
    const inside =
      region.width > 0 &&
      region.height > 0 &&
      region.x >= roi.x &&
      region.y >= roi.y &&
      region.x + region.width <= roi.x + roi.width &&
      region.y + region.height <= roi.y + roi.height
    if (!inside)
      throw refused(REGIONS_PARAMETER, `${name} does not lie within the frame, which is ${roi.width}x${roi.height} pixels of the sensor from ${roi.x},${roi.y}`)
    const [x, y, width, height] = [region.x - roi.x, region.y - roi.y, region.width, region.height].map((side) => side / binning) as [
      number,
      number,
      number,
      number,
    ]
    if (![x, y, width, height].every(Number.isInteger))
      throw refused(
        REGIONS_PARAMETER,
        `${name} cuts through binned pixels; give multiples of the binning ${binning}, counted from the frame's corner ${roi.x},${roi.y}`,
      )
    return { x, y, width, height }
  })
}

function refused(parameter: string, why: string): InvalidValue {
  return new InvalidValue(`${parameter}: ${why}`, [parameter])
}
