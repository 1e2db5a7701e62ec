import { Select } from '@mantine/core'
import { useMemo, useReducer, useRef, useState } from 'react'
import { type Column, firstAxes, isNumeric, toCell } from '../../model/columns.ts'
import { Curve } from '../../model/curve.ts'
import { isActive, RUN_TONES, RUN_WORDS } from '../../model/run-state.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { useStream } from '../../state/use-stream.ts'
import { Empty, Progress, usePanel } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { XyChart } from '../../ui/xy-chart.tsx'
import { ROWS, RUN } from './documents.ts'
import styles from './scan.module.css'

const MOST_ROWS = 8000 // kept for the plot; a longer run is thinned evenly, the dataset has every row
const SAME: readonly string[] = []

/** One run: its state, and its rows as they are recorded. */
export function CurveView({ runId }: { runId: string }) {
  const { solo } = usePanel()
  const { data } = useFresh(RUN, { id: runId }, ['RUN', 'DATASET'])
  const curve = useMemo(() => new Curve(MOST_ROWS), [])
  const cursor = useRef<string | undefined>(undefined)
  const [columns, setColumns] = useState<readonly Column[]>([])
  const [rows, setRows] = useReducer((_: number, next: number) => next, 0)
  const [problem, setProblem] = useState<string>()
  const [choice, setChoice] = useState<{ x?: string; y?: string }>({})
  useStream(ROWS, runId, () => ({ id: runId, after: cursor.current ?? null }), {
    next: ({ runRows }) => {
      cursor.current = runRows.cursor
      if (runRows.gap !== null) setProblem(`Some rows are missing in this view: ${runRows.gap.reason} The dataset has them all.`)
      if (runRows.columns.length > 0) setColumns((known) => (sameNames(known, runRows.columns) ? known : runRows.columns))
      for (const row of runRows.rows) curve.push(row.map(toCell))
      setRows(curve.rows)
    },
    error: setProblem,
  })
  const run = data?.run
  const table = run?.datasets.find((dataset) => dataset.kind === 'TABLE')
  const first = firstAxes(columns, table?.axes ?? SAME, table?.signals ?? SAME)
  const x = choice.x ?? first.x
  const y = choice.y ?? first.y
  const numeric = columns.filter(isNumeric)
  const at = (name: string | undefined) => columns.findIndex((column) => column.name === name)
  const xAt = at(x)
  const yAt = at(y)
  const last = curve.last
  return (
    <section className="stack" aria-label={run === null || run === undefined ? 'Run' : `Run ${run.number}`} data-curve-run={run?.number} data-rows={rows}>
      {run !== null && run !== undefined && (
        <div className={styles.runHead}>
          <strong>Run {run.number}</strong>
          <span className="tag" data-tone={RUN_TONES[run.state]}>
            {RUN_WORDS[run.state]}
          </span>
          <span className={styles.runSummary}>{run.plan.summary}</span>
          <span className="quiet push">
            {Math.max(rows, run.points)}
            {run.totalPoints !== null && ` of ${run.totalPoints}`} points
          </span>
        </div>
      )}
      {run !== null && run !== undefined && isActive(run.state) && (
        <Progress
          share={run.totalPoints !== null && run.totalPoints > 0 ? Math.max(rows, run.points) / run.totalPoints : run.progress}
          label={`Progress of run ${run.number}`}
        />
      )}
      {run?.state !== 'COMPLETED' && (run?.problem ?? run?.exitReason) && <RefusalNote refusal={{ message: run?.problem?.message ?? run?.exitReason ?? '' }} />}
      {problem !== undefined && <RefusalNote refusal={{ message: problem }} onDismiss={() => setProblem(undefined)} />}
      {yAt >= 0 ? (
        <>
          <XyChart
            shape={`${x} ${y}`}
            version={rows}
            read={() => (xAt < 0 ? numbered(curve, yAt) : curve.series(xAt, yAt))}
            x={{ name: x ?? 'row', unit: columns[xAt]?.unit ?? undefined }}
            y={{ name: y ?? '', unit: columns[yAt]?.unit ?? undefined }}
            height={solo ? 480 : 240}
            latest={isActive(run?.state ?? 'COMPLETED') ? { x: xAt < 0 ? rows : (last[xAt] ?? undefined), y: last[yAt] ?? undefined } : undefined}
          />
          <div className={styles.choices}>
            <Select
              aria-label="Curve"
              data={numeric.map((column) => column.name)}
              value={y ?? null}
              onChange={(name) => name !== null && setChoice((now) => ({ ...now, y: name }))}
            />
            <span className="quiet">over</span>
            <Select
              aria-label="Over"
              data={numeric.map((column) => column.name)}
              value={x ?? null}
              onChange={(name) => name !== null && setChoice((now) => ({ ...now, x: name }))}
              placeholder="row"
            />
          </div>
        </>
      ) : (
        <Empty>
          {run?.plan.type === 'record'
            ? 'A recording has frames and no curve; see the camera and the datasets.'
            : run?.state === 'QUEUED'
              ? 'It waits in the queue. Its points appear here.'
              : 'No points yet.'}
        </Empty>
      )}
    </section>
  )
}

function sameNames(a: readonly Column[], b: readonly Column[]): boolean {
  return a.length === b.length && a.every((column, at) => column.name === b[at]?.name)
}

function numbered(curve: Curve, column: number): { x: number[]; y: (number | null)[] } {
  const { y } = curve.series(column, column)
  return { x: y.map((_, at) => at + 1), y }
}
