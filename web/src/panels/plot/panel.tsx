import { MultiSelect, SegmentedControl } from '@mantine/core'
import { useMemo } from 'react'
import { graphql } from '../../graphql.ts'
import { positionStep } from '../../model/format.ts'
import { mainParameter } from '../../model/main-parameter.ts'
import { isNumber, isStringList, useRemembered } from '../../state/remembered.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { Empty, PanelFrame, usePanel } from '../../ui/panel.tsx'
import { Lane, type Trace } from './lane.tsx'
import styles from './plot.module.css'

const PLOTTABLE = graphql(`
  query Plottable {
    devices(first: 200) {
      edges {
        node {
          id
          name
          label
          capabilities
          motion { parameter { id } minimum maximum }
          readout { parameter { id } }
          parameters { id name kind unit step }
        }
      }
    }
  }
`)

const NO_VARIABLES = {}
const WINDOWS = [
  { label: '1 min', value: '60' },
  { label: '5 min', value: '300' },
  { label: '30 min', value: '1800' },
  { label: '1 h', value: '3600' },
] as const
const MOST_TRACES = 6 // one colour each; more lanes than this are too low to read
const FIRST_TRACES = 3
const LANE_HEIGHT = 88 // pixels: a spike is still seen
const SOLO_SURROUNDINGS = 330 // pixels of the page that are not lanes, and the lanes' captions

/** A strip chart: one lane for each chosen parameter, all over the same time, like pens beside each other on a drum. */
export function Panel() {
  const { data } = useFresh(PLOTTABLE, NO_VARIABLES, ['DEVICE'])
  const { solo } = usePanel()
  const [chosen, setChosen] = useRemembered<string[] | undefined>('plot.traces', undefined, isStringList)
  const [seconds, setSeconds] = useRemembered('plot.seconds', 60, isNumber)
  const traces = useMemo(() => {
    const found = new Map<string, Trace>()
    const measured: string[] = []
    const moved: string[] = []
    for (const { node } of data?.devices.edges ?? []) {
      const main = mainParameter(node)?.id
      for (const parameter of node.parameters) {
        if (parameter.kind !== 'FLOAT' && parameter.kind !== 'INTEGER') continue
        const device = node.label ?? node.name
        const title = parameter.id === main ? device : `${device} · ${parameter.name}`
        found.set(parameter.id, {
          parameterId: parameter.id,
          deviceId: node.id,
          name: parameter.name,
          title,
          unit: parameter.unit ?? undefined,
          step: parameter.step ?? (parameter.id === main ? positionStep(node.motion) : undefined),
        })
        if (parameter.id === main) (node.capabilities.includes('MOVABLE') ? moved : measured).push(parameter.id)
      }
    }
    return { found, first: [...measured, ...moved].slice(0, FIRST_TRACES) }
  }, [data])
  const ids = (chosen ?? traces.first).filter((id) => traces.found.has(id))
  const choices = useMemo(() => [...traces.found.values()].map((trace) => ({ value: trace.parameterId, label: trace.title })), [traces])
  return (
    <PanelFrame
      tools={<SegmentedControl aria-label="Time shown" data={[...WINDOWS]} value={String(seconds)} onChange={(value) => setSeconds(Number(value))} />}
    >
      <div className="stack">
        <MultiSelect
          aria-label="Parameters to plot"
          placeholder={ids.length === 0 ? 'Choose parameters to plot' : ''}
          data={choices}
          value={ids}
          onChange={setChosen}
          maxValues={MOST_TRACES}
          searchable
          hidePickedOptions
          nothingFoundMessage="No such parameter"
        />
        <div className={styles.lanes}>
          {ids.map((id, at) => {
            const trace = traces.found.get(id)
            return trace === undefined ? null : (
              <Lane
                key={id}
                trace={trace}
                color={at}
                seconds={seconds}
                last={at === ids.length - 1}
                height={solo ? Math.max(LANE_HEIGHT, (innerHeight - SOLO_SURROUNDINGS) / ids.length) : LANE_HEIGHT}
              />
            )
          })}
        </div>
        {data !== undefined && ids.length === 0 && <Empty>Nothing is plotted. Choose up to {MOST_TRACES} parameters above.</Empty>}
      </div>
    </PanelFrame>
  )
}
