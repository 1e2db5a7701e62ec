import { Select, Slider } from '@mantine/core'
import { useState } from 'react'
import { firstAxes, isNumeric } from '../../model/columns.ts'
import { formatBytes, formatQuantity } from '../../model/format.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { Empty, usePanel } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { Moment } from '../../ui/value.tsx'
import { XyChart } from '../../ui/xy-chart.tsx'
import styles from './datasets.module.css'
import { DATASET, type DatasetDetail, FRAME, SERIES } from './documents.ts'
import { Exporter } from './exporter.tsx'

/** One dataset: what it looks like, what it says in numbers, its files and its exports. */
export function DatasetView({ id }: { id: string }) {
  const { data, problem } = useFresh(DATASET, { id }, ['DATASET'])
  const dataset = data?.dataset
  if (problem !== undefined) return <RefusalNote refusal={{ message: problem }} />
  if (dataset === null) return <Empty>This dataset is not there any more.</Empty>
  if (dataset === undefined) return <div className={styles.waiting} />
  return (
    <div className="stack">
      {dataset.kind === 'TABLE' ? <TablePlot dataset={dataset} /> : <FrameBrowser dataset={dataset} />}
      <Exporter dataset={dataset} />
      <ul className={styles.files} aria-label="Files">
        {dataset.files.map((file) => (
          <li key={file.name}>
            <a href={file.url} download={file.name}>
              {file.name}
            </a>
            <span className="quiet">
              {formatBytes(file.bytes)}
              {file.sha256 !== null && (
                <>
                  {' '}
                  <code title={file.sha256}>sha256 {file.sha256.slice(0, 12)}…</code>
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}

function TablePlot({ dataset }: { dataset: DatasetDetail }) {
  const { solo } = usePanel()
  const [choice, setChoice] = useState<{ x?: string; y?: string }>({})
  const first = firstAxes(dataset.columns, dataset.axes, dataset.signals)
  const x = choice.x ?? first.x
  const y = choice.y ?? first.y
  const names = dataset.columns.filter(isNumeric).map((column) => column.name)
  const { data, problem } = useFresh(SERIES, { id: dataset.id, columns: y === undefined ? [] : [y], x: x ?? null }, ['DATASET'], { pause: y === undefined })
  const [series] = data?.dataset?.series ?? []
  const [numbers] = data?.dataset?.statistics ?? []
  const unitOf = (name: string | undefined) => dataset.columns.find((column) => column.name === name)?.unit ?? undefined
  if (y === undefined) return <Empty>It has no column of numbers to plot.</Empty>
  return (
    <>
      <div className={styles.choices}>
        <Select aria-label="Column" data={names} value={y} onChange={(name) => name !== null && setChoice((now) => ({ ...now, y: name }))} />
        <span className="quiet">over</span>
        <Select
          aria-label="Over"
          data={names}
          value={x ?? null}
          placeholder="row"
          onChange={(name) => name !== null && setChoice((now) => ({ ...now, x: name }))}
        />
        {series !== undefined && series.reducedFrom > series.x.length && (
          <span className="quiet push">
            {series.x.length} of {series.reducedFrom.toLocaleString()} points, every peak kept
          </span>
        )}
      </div>
      {problem !== undefined && <RefusalNote refusal={{ message: problem }} />}
      {series === undefined ? (
        <div className={styles.waiting} />
      ) : (
        <XyChart
          shape={`${dataset.id} ${x} ${y}`}
          version={series.reducedFrom}
          read={() => ordered(series)}
          x={{ name: x ?? 'row', unit: unitOf(x) }}
          y={{ name: y, unit: series.unit ?? unitOf(y) }}
          height={solo ? 420 : 220}
        />
      )}
      {numbers !== undefined && (
        <dl className={styles.numbers}>
          {(['mean', 'standardDeviation', 'minimum', 'maximum'] as const).map((name) => (
            <div key={name}>
              <dt>{name === 'standardDeviation' ? 'deviation' : name}</dt>
              <dd>{numbers[name] === null ? '–' : formatQuantity(numbers[name], unitOf(y))}</dd>
            </div>
          ))}
          <div>
            <dt>values</dt>
            <dd>
              {numbers.count.toLocaleString()}
              {numbers.nulls > 0 && `, ${numbers.nulls} missing`}
            </dd>
          </div>
        </dl>
      )}
    </>
  )
}

type Series = {
  readonly x: readonly number[]
  readonly values: readonly (number | null)[]
  readonly minimum: readonly (number | null)[] | null
  readonly maximum: readonly (number | null)[] | null
}

/** In order of x, as the plot needs it: a scan can run downwards. */
function ordered({ x, values, minimum, maximum }: Series): { x: number[]; y: (number | null)[]; low?: (number | null)[]; high?: (number | null)[] } {
  const order = x.map((_, at) => at).sort((a, b) => (x[a] ?? 0) - (x[b] ?? 0))
  const pick = (list: readonly (number | null)[]) => order.map((at) => list[at] ?? null)
  return {
    x: order.map((at) => x[at] ?? 0),
    y: pick(values),
    ...(minimum !== null && { low: pick(minimum) }),
    ...(maximum !== null && { high: pick(maximum) }),
  }
}

function FrameBrowser({ dataset }: { dataset: DatasetDetail }) {
  const [index, setIndex] = useState(0)
  const [sliding, setSliding] = useState(0)
  const { data, problem } = useFresh(FRAME, { id: dataset.id, index }, [], { pause: dataset.rows === 0 })
  const frame = data?.dataset?.frame
  if (dataset.rows === 0) return <Empty>It has no frames yet.</Empty>
  return (
    <figure className={styles.frames}>
      {problem !== undefined && <RefusalNote refusal={{ message: problem }} />}
      {frame !== null && frame !== undefined && (
        <img src={frame.pngUrl} alt={`Frame ${frame.index} of ${dataset.name}`} width={frame.width} height={frame.height} />
      )}
      <figcaption className="stack">
        <Slider thumbLabel="Frame" min={0} max={Math.max(1, dataset.rows - 1)} value={sliding} onChange={setSliding} onChangeEnd={setIndex} label={null} />
        <span className="quiet">
          Frame {sliding + 1} of {dataset.rows.toLocaleString()}
          {frame !== null && frame !== undefined && (
            <>
              , camera number {frame.sequence}, <Moment at={frame.time} />, {frame.width}×{frame.height}
            </>
          )}
        </span>
      </figcaption>
    </figure>
  )
}
