import { displayScale, formatNumber, formatTime, formatTimeFully, unitLabel } from '../model/format.ts'
import type { LiveValue } from '../model/reading-batch.ts'
import { useLab } from '../state/lab.tsx'
import { useStore } from '../state/store.ts'

type Properties = { value: LiveValue | undefined; unit?: string | null | undefined; step?: number | null | undefined; reason?: string | null | undefined }

const WORDS = { GOOD: '', UNCERTAIN: 'uncertain', STALE: 'stale', BAD: 'no value' } as const

/** A value with its unit, and in words what is wrong with it when it is not GOOD. While the connection is lost, everything is stale. */
export function Value({ value, unit, step, reason }: Properties) {
  const { connection } = useLab()
  const lost = useStore(connection.state).phase === 'LOST'
  if (value === undefined)
    return (
      <span className="value" data-quality="STALE">
        –
      </span>
    )
  const quality = lost && value.quality === 'GOOD' ? 'STALE' : value.quality
  const { text, unit: shown } = print(value, unit, step)
  const note = WORDS[quality]
  const why = quality === 'GOOD' || reason === undefined || reason === null ? note : `${note}: ${reason}`
  return (
    <span className="value" data-quality={quality} title={`${formatTimeFully(value.timeMs)}${why === '' ? '' : `\n${why}`}`}>
      {text}
      {shown !== '' && <span className="unit">{shown}</span>}
      {note !== '' && <span className="quality">{quality === 'BAD' ? why : note}</span>}
    </span>
  )
}

export function print(value: LiveValue, unit?: string | null | undefined, step?: number | null | undefined): { text: string; unit: string } {
  const code = value.unit ?? unit
  switch (typeof value.value) {
    case 'number': {
      const scale = displayScale(value.value, code)
      return { text: formatNumber(value.value / scale.factor, scale.factor === 1 ? step : undefined), unit: unitLabel(scale.unit) }
    }
    case 'boolean':
      return { text: value.value ? 'on' : 'off', unit: '' }
    case 'string':
      return { text: value.value === '' ? '–' : value.value, unit: unitLabel(code) }
    default:
      return { text: '–', unit: '' }
  }
}

/** A moment: the local clock, with day, zone and UTC in the tooltip. */
export function Moment({ at }: { at: string | null | undefined }) {
  if (at === null || at === undefined) return null
  const timeMs = Date.parse(at)
  return (
    <time dateTime={at} title={formatTimeFully(timeMs)}>
      {formatTime(timeMs)}
    </time>
  )
}
