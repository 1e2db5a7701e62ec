import { InvalidValue } from './errors.ts'

/**
 * Where the slit of a dome must be so that the telescope looks through it. The tube of an equatorial mount stands off the dome's centre, on the side of the
 * pier where the mount holds it: the same target needs another dome azimuth on the other side, so the side is always said and never guessed. All angles are
 * in degrees; azimuth from north through east.
 */

/** Where the tube is: 'west' of the pier it usually looks east, as ASCOM counts. */
export type PierSide = 'east' | 'west'
export const PIER_SIDES = ['east', 'west'] as const satisfies readonly PierSide[]

export type SkyTarget = { readonly altitude: number; readonly azimuth: number }
/** `inBounds`: within what the law was made for; outside it is extended, and doubtful. */
export type DomePointing = { readonly azimuth: number; readonly inBounds: boolean }
export type DomeLaw = (target: SkyTarget, pierSide: PierSide) => DomePointing

/** In units of the dome's radius, from the dome's centre to where the mount's axes cross, and from there to the tube. */
export type MountGeometry = {
  readonly latitude: number
  readonly tubeOffset: number
  readonly east: number
  readonly north: number
  readonly up: number
}

/** Fitted to a measured table of a dome of 120 cm radius at 44.15 N: 43 cm of offset, axes 7 cm north and 22 cm below the centre. RMS 5 deg up to altitude 60. */
export const FITTED_GEOMETRY: MountGeometry = { latitude: 44.15, tubeOffset: 0.3574, east: 0, north: 0.062, up: -0.18 }

const LOWEST = 30 // altitudes that the fit has seen; above 85 deg the azimuth of the slit is mostly noise
const HIGHEST = 85

export function wrap360(angle: number): number {
  const wrapped = angle % 360
  return wrapped < 0 ? wrapped + 360 : wrapped
}

/** From one azimuth to another the short way, in (-180, 180]. */
export function shortestArc(from: number, to: number): number {
  const arc = wrap360(to - from)
  return arc > 180 ? arc - 360 : arc
}

type Vector = readonly [east: number, north: number, up: number]

/** The ray from the tube's centre along its axis meets the dome where the slit must be. */
export function geometricLaw(geometry: MountGeometry = FITTED_GEOMETRY): DomeLaw {
  const latitude = radians(geometry.latitude)
  const pole: Vector = [0, Math.cos(latitude), Math.sin(latitude)]
  return ({ altitude, azimuth }, pierSide) => {
    const a = radians(altitude)
    const z = radians(azimuth)
    const target: Vector = [Math.cos(a) * Math.sin(z), Math.cos(a) * Math.cos(z), Math.sin(a)]
    const [x, y, up] = cross(pole, target)
    const offset = ((pierSide === 'west' ? -1 : 1) * geometry.tubeOffset) / Math.hypot(x, y, up)
    const tube: Vector = [geometry.east + offset * x, geometry.north + offset * y, geometry.up + offset * up]
    const along = dot(tube, target)
    const distance = -along + Math.sqrt(along * along - dot(tube, tube) + 1)
    const slit = Math.atan2(tube[0] + distance * target[0], tube[1] + distance * target[1])
    return { azimuth: wrap360((slit * 180) / Math.PI), inBounds: altitude >= LOWEST && altitude <= HIGHEST }
  }
}

/** One measured or computed point of a table. */
export type DomePoint = SkyTarget & { readonly dome: number; readonly pierSide: PierSide }

const TABLE_ALTITUDES = [30, 45, 53, 60, 65, 70, 72.5, 75, 77.5, 80, 85] as const
const TABLE_AZIMUTHS = [0, 15, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180, 182, 195, 210, 225, 240, 255, 270, 285, 300, 315, 330, 345] as const

/** 275 points of a law for one side of the pier. */
export function tabulate(law: DomeLaw, pierSide: PierSide): readonly DomePoint[] {
  return TABLE_ALTITUDES.flatMap((altitude) =>
    TABLE_AZIMUTHS.map((azimuth) => ({ altitude, azimuth, pierSide, dome: law({ altitude, azimuth }, pierSide).azimuth })),
  )
}

type Row = { readonly altitude: number; readonly points: readonly { readonly azimuth: number; readonly dome: number }[] }
type Grid = { readonly rows: readonly Row[]; readonly whole: boolean }

const EDGE = 2 // deg beyond the first and last azimuth of a side: the gap at the meridian of tables that have points at 180 and 182

/**
 * Interpolates along azimuth, then altitude, each the short way round, among points of one side of the pier only. A side whose points go all around has a cell
 * from its last azimuth to its first one again; below and above its altitudes the outer cells are extended, out of bounds. Throws InvalidValue.
 */
export function tableLaw(points: readonly DomePoint[]): DomeLaw {
  const grids = { east: gridOf(points, 'east'), west: gridOf(points, 'west') }
  return ({ altitude, azimuth }, pierSide) => {
    const { rows, whole } = grids[pierSide]
    const upper = Math.max(
      1,
      rows.findIndex((row, at) => row.altitude >= altitude || at === rows.length - 1),
    )
    const [low, high] = [rows[upper - 1], rows[upper]]
    if (low === undefined || high === undefined) throw new InvalidValue(`the table has no points for the ${pierSide} side of the pier`, ['pierSide'])
    const below = alongAzimuth(low, azimuth, whole)
    const above = alongAzimuth(high, azimuth, whole)
    const part = (altitude - low.altitude) / (high.altitude - low.altitude)
    return {
      azimuth: wrap360(below.dome + part * shortestArc(below.dome, above.dome)),
      inBounds: part >= 0 && part <= 1 && below.beyond <= EDGE && above.beyond <= EDGE,
    }
  }
}

function gridOf(points: readonly DomePoint[], pierSide: PierSide): Grid {
  const mine = points.filter((point) => point.pierSide === pierSide)
  const altitudes = [...new Set(mine.map((point) => point.altitude))].sort((a, b) => a - b)
  const rows = altitudes.map((altitude) => ({
    altitude,
    points: mine.filter((point) => point.altitude === altitude).sort((a, b) => a.azimuth - b.azimuth),
  }))
  for (const { altitude, points } of rows) {
    const twice = points.find((point, at) => points[at + 1]?.azimuth === point.azimuth)
    if (points.length < 2 || twice !== undefined)
      throw new InvalidValue(`the table has ${points.length < 2 ? 'fewer than two points' : 'a point twice'} at altitude ${altitude}, ${pierSide}`, ['table'])
  }
  if (rows.length === 1) throw new InvalidValue(`the table has one altitude only for the ${pierSide} side of the pier`, ['table'])
  return { rows, whole: rows.every((row) => goesAround(row)) }
}

const WIDEST_CELL = 30 // deg; a side with a larger hole does not go all around

function goesAround({ points }: Row): boolean {
  return points.every((point, at) => wrap360((points[at + 1] ?? points[0] ?? point).azimuth - point.azimuth) <= WIDEST_CELL)
}

/** `beyond`: how far outside the points, in degrees. */
function alongAzimuth({ points }: Row, given: number, whole: boolean): { readonly dome: number; readonly beyond: number } {
  const azimuth = given >= (points[0]?.azimuth ?? 0) - EDGE ? given : given + 360
  const last = points.length - 1
  const found = points.findIndex((point) => point.azimuth >= azimuth)
  const wraps = whole && found === -1
  const upper = wraps ? last + 1 : Math.max(1, found === -1 ? last : found)
  const from = points[upper - 1]
  const to = wraps ? points[0] : points[upper]
  if (from === undefined || to === undefined) return { dome: Number.NaN, beyond: Number.POSITIVE_INFINITY }
  const width = wraps ? wrap360(to.azimuth - from.azimuth) : to.azimuth - from.azimuth
  const part = (azimuth - from.azimuth) / width
  return { dome: from.dome + part * shortestArc(from.dome, to.dome), beyond: Math.max(-part, part - 1, 0) * width }
}

const COLUMNS = ['altitude', 'azimuth', 'dome'] as const
const MAX_POINTS = 100_000 // a degree apart everywhere, for both sides, is 65 000

/**
 * CSV with a head (altitude, azimuth, dome and, where it is known, pierSide), or a JSON list of objects of these names. Without a side, points to azimuth 180
 * were taken with the tube west of the pier and the others east of it; the one at 0 then also closes the circle of the eastern ones, at 360. Throws InvalidValue
 * that names the line.
 */
export function parseDomeTable(text: string): readonly DomePoint[] {
  const records = text.trimStart().startsWith('[') ? recordsOfJson(text) : recordsOfCsv(text)
  if (records.length > MAX_POINTS) throw new InvalidValue(`the table has ${records.length} points; ${MAX_POINTS} are allowed`, ['table'])
  return records.flatMap(({ where, fields }) => pointsOf(where, fields))
}

type Fields = Readonly<Record<string, unknown>>

function recordsOfCsv(text: string): readonly { readonly where: string; readonly fields: Fields }[] {
  const lines = text.split(/\r?\n/).map((line, at) => ({ where: `line ${at + 1}`, cells: line.split(/[,;\t]/).map((cell) => cell.trim()) }))
  const [head, ...rest] = lines.filter(({ cells }) => cells.some((cell) => cell !== ''))
  return rest.map(({ where, cells }) => ({ where, fields: Object.fromEntries((head?.cells ?? []).map((name, at) => [name, cells[at]])) }))
}

function recordsOfJson(text: string): readonly { readonly where: string; readonly fields: Fields }[] {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (error) {
    throw new InvalidValue(`the table is not JSON: ${String(error)}`, ['table'])
  }
  if (!Array.isArray(list)) throw new InvalidValue('the table is not a list', ['table'])
  return list.map((fields: unknown, at) => ({ where: `point ${at + 1}`, fields: typeof fields === 'object' && fields !== null ? { ...fields } : {} }))
}

function pointsOf(where: string, fields: Fields): readonly DomePoint[] {
  const [altitude = 0, azimuth = 0, dome = 0] = COLUMNS.map((name) => {
    const given = fields[name]
    const value = typeof given === 'string' && given !== '' ? Number(given) : given
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new InvalidValue(`the table, ${where}: ${name} is ${String(given)}, not a number`, ['table'])
    return value
  })
  const { pierSide } = fields
  if (pierSide !== undefined && pierSide !== '') {
    const side = PIER_SIDES.find((candidate) => candidate === pierSide)
    if (side === undefined) throw new InvalidValue(`the table, ${where}: pierSide is ${String(pierSide)}; it is east or west`, ['table'])
    return [{ altitude, azimuth, dome, pierSide: side }]
  }
  if (azimuth === 0)
    return [
      { altitude, azimuth, dome, pierSide: 'west' },
      { altitude, azimuth: 360, dome, pierSide: 'east' },
    ]
  return [{ altitude, azimuth, dome, pierSide: azimuth <= 180 ? 'west' : 'east' }]
}

function cross([a, b, c]: Vector, [x, y, z]: Vector): Vector {
  return [b * z - c * y, c * x - a * z, a * y - b * x]
}

function dot([a, b, c]: Vector, [x, y, z]: Vector): number {
  return a * x + b * y + c * z
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180
}
