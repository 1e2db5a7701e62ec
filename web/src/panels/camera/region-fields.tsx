import { NumberInput } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatNumber } from '../../model/format.ts'
import type { Frame } from '../../model/frame-header.ts'
import type { Rect } from '../../model/picture-geometry.ts'
import { wholeRect } from '../../model/region.ts'
import { regionCounts } from '../../model/region-counts.ts'
import { toNumber } from '../../model/value-input.ts'
import styles from './camera.module.css'

const FIELDS = [
  ['x', 'x'],
  ['y', 'y'],
  ['width', 'width'],
  ['height', 'height'],
] as const

type Properties = { sensor: Rect; shown: Rect; region: Rect | undefined; frame: Frame | undefined; onRegion: (region: Rect) => void; children: ReactNode }

/** The region by its numbers, in sensor pixels: for the keyboard, and where a pixel matters. */
export function RegionFields({ sensor, shown, region, frame, onRegion, children }: Properties) {
  const counts = region === undefined || frame === undefined ? undefined : regionCounts(frame, region)
  return (
    <section className={styles.tool} aria-label="Region">
      <div className={styles.numbers}>
        {FIELDS.map(([name, label]) => (
          <NumberInput
            key={name}
            label={`${label} (px)`}
            aria-label={`Region ${label}`}
            placeholder={String(shown[name])}
            value={region?.[name] ?? ''}
            onChange={(typed) => {
              const number = toNumber(typed)
              if (number !== undefined) onRegion(wholeRect({ ...(region ?? shown), [name]: number }, sensor))
            }}
            decimalScale={0}
            allowNegative={false}
          />
        ))}
      </div>
      <p className={styles.counts} data-region-mean={counts?.mean}>
        {counts === undefined
          ? whyNone(region, frame)
          : `mean ${formatNumber(counts.mean, 0.1)} ± ${formatNumber(counts.deviation, 0.1)}, ${counts.minimum}…${counts.maximum} counts`}
      </p>
      <div className="row">{children}</div>
    </section>
  )
}

function whyNone(region: Rect | undefined, frame: Frame | undefined): string {
  if (region === undefined) return 'Drag a rectangle over the picture, or type its numbers.'
  return frame === undefined ? 'Its counts come with the first frame.' : 'The picture shows nothing of it.'
}
