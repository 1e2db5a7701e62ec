import type { Request } from 'express'
import type { Roi } from '../../core/device.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { SliceRequest } from '../../storage/frame-slice.ts'
import { PNG_COLORMAPS, type PngOptions } from '../../storage/png.ts'
import type { FrameRange } from '../../storage/roi-series.ts'

/** What stands behind the ? of an address that takes something out of a recording. A name that is not known is refused: a typing error would be other pixels. */

const RANGE = ['from', 'to', 'step'] as const
const SIDES = ['x', 'y', 'width', 'height'] as const
const PNG = ['colormap', 'minimum', 'maximum', 'saturated', 'maxSide'] as const
const MAX_SIDE = 16_384 // no camera of ours is larger

export function rangeGiven(request: Request): FrameRange {
  refuseOthers(request, [...RANGE, ...SIDES])
  return rangeOf(request)
}

export function sliceGiven(request: Request): SliceRequest {
  refuseOthers(request, [...RANGE, ...SIDES, 'bin'])
  return { ...rangeOf(request), roi: roiGiven(request), bin: whole(request, 'bin') }
}

/** All four sides or none. */
export function roiGiven(request: Request): Roi | undefined {
  const [x, y, width, height] = SIDES.map((side) => whole(request, side))
  if (x === undefined && y === undefined && width === undefined && height === undefined) return undefined
  if (x === undefined || y === undefined || width === undefined || height === undefined)
    throw new InvalidValue(`a region needs all of ${SIDES.join(', ')}`, ['roi'])
  return { x, y, width, height }
}

/** `metadata`: of the recording; says how many bits the camera had, where the recording knows. */
export function pngOptions(request: Request, metadata: ReadonlyMap<string, string>): PngOptions {
  refuseOthers(request, PNG)
  const { colormap: given = 'gray' } = request.query
  const colormap = PNG_COLORMAPS.find((candidate) => candidate === given)
  if (colormap === undefined) throw new InvalidValue(`colormap: ${String(given)} is not known; there are ${PNG_COLORMAPS.join(', ')}`, ['colormap'])
  const [minimum, maximum] = [finite(request, 'minimum'), finite(request, 'maximum')]
  if (colormap === 'gray16' && (minimum !== undefined || maximum !== undefined))
    throw new InvalidValue('gray16 has the recorded values as they are: without minimum and maximum', ['minimum'])
  const maxSide = whole(request, 'maxSide')
  if (maxSide !== undefined && (maxSide < 1 || maxSide > MAX_SIDE)) throw new InvalidValue(`maxSide: ${maxSide} is not from 1 to ${MAX_SIDE}`, ['maxSide'])
  const bits = Number(metadata.get('bitDepth'))
  const saturated = finite(request, 'saturated') ?? (bits >= 1 && bits <= 16 ? 2 ** bits - 1 : undefined)
  return { colormap, minimum, maximum, saturated, maxSide }
}

function rangeOf(request: Request): FrameRange {
  const [from, to, step] = RANGE.map((name) => whole(request, name))
  return { from, to, step }
}

function refuseOthers({ query }: Request, known: readonly string[]): void {
  const other = Object.keys(query).find((name) => !known.includes(name))
  if (other !== undefined) throw new InvalidValue(`${other} is not known here; there are ${known.join(', ')}`, [other])
}

function whole(request: Request, name: string): number | undefined {
  const value = finite(request, name)
  if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) throw new InvalidValue(`${name}: ${value} is not a whole number from 0`, [name])
  return value
}

function finite({ query }: Request, name: string): number | undefined {
  const given = query[name]
  if (given === undefined) return undefined
  const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : Number.NaN
  if (!Number.isFinite(value)) throw new InvalidValue(`${name}: ${String(given)} is not a finite number`, [name])
  return value
}
