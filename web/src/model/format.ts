/** Numbers, units and times as a person reads them. */

const UNIT_LABELS: Readonly<Record<string, string>> = {
  Cel: '°C',
  deg: '°',
  "'": '′',
  "''": '″',
  '[in_i]': 'in',
  '[ppm]': 'ppm',
  '[g]': 'g₀',
  Ohm: 'Ω',
  '1': '',
}

/** A UCUM code as it is printed: `um/s2` is `µm/s²`, `{count}/s` is `count/s`. */
export function unitLabel(code: string | null | undefined): string {
  if (code === null || code === undefined) return ''
  const known = UNIT_LABELS[code]
  if (known !== undefined) return known
  return code
    .replace(/\{([^}]*)\}/g, '$1')
    .replace(/\bu(?=[A-Za-z])/g, 'µ')
    .replace(/Ohm\b/g, 'Ω')
    .replace(/\bCel\b/g, '°C')
    .replace(/\bdeg\b/g, '°')
    .replace(/(?<=[A-Za-zµΩ])2\b/g, '²')
    .replace(/(?<=[A-Za-zµΩ])3\b/g, '³')
    .replace(/\./g, '·')
}

/** `1 command`, `4 commands`. */
export function counted(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}

const SCALABLE = new Set(['W', 'V', 'A', 'Hz', 'J', 'Pa', 'Ohm', 'F', 'T', 'N', 's'])
const PREFIXES: readonly (readonly [number, string])[] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
  [1e-3, 'm'],
  [1e-6, 'u'],
  [1e-9, 'n'],
  [1e-12, 'p'],
]

/** What to divide by and the unit that then holds, so that 1.2e-5 W reads 12 µW. Only for bare units; `mm` stays `mm`. */
export function displayScale(magnitude: number, unit: string | null | undefined): { factor: number; unit: string | undefined } {
  if (unit === null || unit === undefined || !SCALABLE.has(unit) || !Number.isFinite(magnitude) || magnitude === 0)
    return { factor: 1, unit: unit ?? undefined }
  const size = Math.abs(magnitude)
  if (unit === 's' && size >= 1) return { factor: 1, unit }
  const [factor, prefix] = PREFIXES.find(([limit]) => size >= limit * 0.9995) ?? [1e-12, 'p']
  return { factor, unit: `${prefix}${unit}` }
}

/** A number with its unit in the scale that fits it: `12.3 µW`. */
export function formatQuantity(value: number, unit: string | null | undefined, step?: number | null): string {
  const scale = displayScale(value, unit)
  const label = unitLabel(scale.unit)
  const number = formatNumber(value / scale.factor, scale.factor === 1 ? step : undefined)
  return label === '' ? number : `${number} ${label}`
}

const SIGNIFICANT = 5
const MINUS = '\u2212'

/** With a step: as many decimals as the step has. Without: five significant digits. Large and tiny numbers in powers of ten. */
export function formatNumber(value: number, step?: number | null): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : value > 0 ? '∞' : `${MINUS}∞`
  const size = Math.abs(value)
  let text: string
  if (size >= 1e7) text = value.toExponential(SIGNIFICANT - 2)
  else if (step !== null && step !== undefined && step > 0) text = value.toFixed(decimalsOf(step))
  else if (size !== 0 && size < 1e-4) text = value.toExponential(SIGNIFICANT - 2)
  else if (Number.isInteger(value)) text = String(value)
  else text = value.toFixed(Math.min(6, Math.max(0, SIGNIFICANT - 1 - Math.floor(Math.log10(Math.max(size, 1e-4))))))
  if (/^-0(\.0*)?$/.test(text)) text = text.slice(1)
  return text.replaceAll('-', MINUS)
}

/** A limit or another number that a person chose: as short as it was written. */
export function formatBound(value: number): string {
  return String(Number(value.toPrecision(7))).replace('-', MINUS)
}

/** `0…25`, `≥ 0`, `≤ 25`; empty where nothing is known. */
export function formatRange(limits: { readonly minimum: number | null; readonly maximum: number | null } | null): string {
  const { minimum = null, maximum = null } = limits ?? {}
  if (minimum !== null && maximum !== null) return `${formatBound(minimum)}…${formatBound(maximum)}`
  if (minimum !== null) return `≥ ${formatBound(minimum)}`
  return maximum === null ? '' : `≤ ${formatBound(maximum)}`
}

export function decimalsOf(step: number): number {
  if (!(step > 0)) return 0
  for (let decimals = 0; decimals < 9; decimals += 1) if (Math.abs(Math.round(step * 10 ** decimals) - step * 10 ** decimals) < 1e-6) return decimals
  return 9
}

const SHARE_OF_TRAVEL = 1e-5 // finer than that no stage of a laboratory is read while it stands on a bench

/** The step in which to show a position whose parameter names none: from the travel, so that its last digits do not come and go. */
export function positionStep(travel: { readonly minimum: number | null; readonly maximum: number | null } | null): number | undefined {
  if (travel === null || travel.minimum === null || travel.maximum === null || travel.maximum <= travel.minimum) return undefined
  return 10 ** Math.floor(Math.log10((travel.maximum - travel.minimum) * SHARE_OF_TRAVEL))
}

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB'] as const

export function formatBytes(bytes: number): string {
  let size = bytes
  let at = 0
  while (size >= 1000 && at < BYTES.length - 1) {
    size /= 1000
    at += 1
  }
  return `${at === 0 ? size : size.toPrecision(3)} ${BYTES[at] ?? 'B'}`
}

/** `12 s`, `4 min 03 s`, `2 h 05 min`, `3 d 4 h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const two = (value: number) => String(value).padStart(2, '0')
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const day = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long', hourCycle: 'h23' })

/** Local time: only the clock for today, with the day before that. */
export function formatTime(timeMs: number, nowMs: number = Date.now()): string {
  return new Date(timeMs).toDateString() === new Date(nowMs).toDateString() ? clock.format(timeMs) : day.format(timeMs)
}

/** For tooltips: local with zone, and UTC as it was recorded. */
export function formatTimeFully(timeMs: number): string {
  return `${full.format(timeMs)} (${new Date(timeMs).toISOString()})`
}
