import { useState } from 'react'
import { formatBytes } from '../../model/format.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { Button } from '../../ui/button.tsx'
import { Empty, PanelFrame } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { Moment } from '../../ui/value.tsx'
import styles from './datasets.module.css'
import { DatasetView } from './detail.tsx'
import { DATASETS, type DatasetLine } from './documents.ts'

const PAGE = 10
const MOST = 200 // what one page of the API holds

const STATE_WORDS = { RECORDING: 'recording', COMPLETE: 'complete', RECOVERED: 'recovered', FAILED: 'failed', ARCHIVED: 'archived' } as const
const STATE_TONES = { RECORDING: 'accent', COMPLETE: 'good', RECOVERED: 'warn', FAILED: 'bad', ARCHIVED: 'idle' } as const

/** What was recorded, newest first: its plot, its files, and an export in any format that the lab writes. */
export function Panel() {
  const [shown, setShown] = useState(PAGE)
  const { data, problem } = useFresh(DATASETS, { first: shown }, ['DATASET'])
  const [chosen, setChosen] = useState<string>()
  const datasets = data?.datasets.edges.map((edge) => edge.node) ?? []
  return (
    <PanelFrame flush>
      {problem !== undefined && <RefusalNote refusal={{ message: problem }} />}
      {datasets.length === 0 && data !== undefined && <Empty>Nothing is recorded yet. Every run leaves its dataset here.</Empty>}
      {datasets.length > 0 && (
        <div className={styles.scroller}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Dataset</th>
                <th scope="col">Run</th>
                <th scope="col" className={styles.number}>
                  Rows
                </th>
                <th scope="col" className={styles.number}>
                  Size
                </th>
                <th scope="col">Recorded</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {datasets.map((dataset) => (
                <Line
                  key={dataset.id}
                  dataset={dataset}
                  open={dataset.id === chosen}
                  onOpen={() => setChosen(dataset.id === chosen ? undefined : dataset.id)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data?.datasets.pageInfo.hasNextPage === true && shown < MOST && (
        <div className={styles.more}>
          <Button kind="quiet" onClick={() => setShown(Math.min(MOST, shown + 3 * PAGE))}>
            Show more
          </Button>
        </div>
      )}
    </PanelFrame>
  )
}

function Line({ dataset, open, onOpen }: { dataset: DatasetLine; open: boolean; onOpen: () => void }) {
  return (
    <>
      <tr data-dataset={dataset.name} data-open={open || undefined}>
        <th scope="row">
          <button type="button" className={styles.opener} aria-expanded={open} onClick={onOpen}>
            {dataset.name}
          </button>
          <span className="quiet"> {dataset.kind === 'FRAMES' ? 'frames' : 'table'}</span>
        </th>
        <td>{dataset.run === null ? '' : `#${dataset.run.number}`}</td>
        <td className={styles.number}>
          {dataset.rows.toLocaleString()}
          {dataset.dropped > 0 && <span className={styles.dropped}> {dataset.dropped} dropped</span>}
        </td>
        <td className={styles.number}>{formatBytes(dataset.bytes)}</td>
        <td>
          <Moment at={dataset.createdAt} />
        </td>
        <td>
          <span className="tag" data-tone={STATE_TONES[dataset.state]}>
            {STATE_WORDS[dataset.state]}
          </span>
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={6} className={styles.detail}>
            <DatasetView id={dataset.id} />
          </td>
        </tr>
      )}
    </>
  )
}
