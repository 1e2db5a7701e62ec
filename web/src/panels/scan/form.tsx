import { MultiSelect, NumberInput, SegmentedControl, Select, Switch } from '@mantine/core'
import { useMemo, useState } from 'react'
import { formatBound, unitLabel } from '../../model/format.ts'
import { mainParameter } from '../../model/main-parameter.ts'
import { likelyAxis, type PlanKind, type ScanForm, type Scannable, toRunInput } from '../../model/plan-input.ts'
import { toNumber } from '../../model/value-input.ts'
import { newIdempotencyKey, useCommand } from '../../state/use-command.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { type BenchDevice, START_RUN } from './documents.ts'
import styles from './scan.module.css'

const KINDS = [
  { label: 'Linear scan', value: 'linearScan' },
  { label: 'Count', value: 'count' },
  { label: 'Record frames', value: 'record' },
] as const

type Properties = { devices: readonly BenchDevice[]; session: { id: string; title: string } | undefined; started: (runId: string) => void }
type Field = string | number

export function ScanFormView({ devices, session, started }: Properties) {
  const [kind, setKind] = useState<PlanKind>('linearScan')
  const [axisKey, setAxisKey] = useState<string>()
  const [detectorIds, setDetectorIds] = useState<string[]>()
  const [cameraIds, setCameraIds] = useState<string[]>()
  const [start, setStart] = useState<Field>('')
  const [stop, setStop] = useState<Field>('')
  const [points, setPoints] = useState<Field>(21)
  const [delay, setDelay] = useState<Field>('')
  const [dwell, setDwell] = useState<Field>('')
  const [frames, setFrames] = useState<Field>(100)
  const [returnAfter, setReturnAfter] = useState(true)
  const [missing, setMissing] = useState<string>()
  const run = useCommand(START_RUN, ({ startRun }) => {
    if (startRun !== null && 'id' in startRun && typeof startRun.id === 'string') started(startRun.id)
  })

  const scannables = useMemo(
    () => devices.flatMap(scannablesOf).sort((a, b) => Number(a.parameter !== undefined) - Number(b.parameter !== undefined)),
    [devices],
  ) // positions first
  const readable = devices.filter((device) => device.capabilities.includes('READABLE'))
  const cameras = devices.filter((device) => device.capabilities.includes('FRAME_PRODUCER'))
  const recording = kind === 'record'
  const axis = scannables.find((each) => each.key === axisKey) ?? likelyAxis(scannables)
  const firstDetector = readable.find((device) => !device.capabilities.includes('MOVABLE') && !device.capabilities.includes('FRAME_PRODUCER')) ?? readable[0]
  const detectors = recording
    ? (cameraIds ?? cameras.slice(0, 1).map((device) => device.id))
    : (detectorIds ?? (firstDetector === undefined ? [] : [firstDetector.id]))
  const unit = unitLabel(axis?.unit)

  const send = () => {
    const form: ScanForm = {
      kind,
      axis,
      detectors: devices.filter((device) => detectors.includes(device.id)),
      start: toNumber(start),
      stop: toNumber(stop),
      points: toNumber(points),
      delaySeconds: toNumber(delay),
      dwellSeconds: toNumber(dwell),
      returnAfter,
      frames: toNumber(frames),
      sessionId: session?.id,
    }
    const input = toRunInput(form, newIdempotencyKey())
    run.dismiss()
    if ('missing' in input) return setMissing(input.missing)
    setMissing(undefined)
    void run.send({ input })
  }

  return (
    <form
      className="stack"
      aria-label="New run"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <div className="row">
        <SegmentedControl
          aria-label="Kind of run"
          data={[...KINDS]}
          value={kind}
          onChange={(value) => setKind(KINDS.find((each) => each.value === value)?.value ?? 'linearScan')}
        />
        <span className="quiet push">{session === undefined ? 'opens a session of its own' : `in “${session.title}”`}</span>
      </div>
      {kind === 'linearScan' && (
        <div className={styles.scanFields}>
          <Select
            label="Scan"
            placeholder="Choose what moves"
            searchable
            data={scannables.map((each) => ({ value: each.key, label: each.title }))}
            value={axis?.key ?? null}
            onChange={(key) => setAxisKey(key ?? undefined)}
          />
          <NumberInput
            label="From"
            value={start}
            onChange={setStart}
            rightSection={unit}
            rightSectionWidth={38}
            decimalScale={9}
            placeholder={limit(axis?.minimum)}
          />
          <NumberInput
            label="To"
            value={stop}
            onChange={setStop}
            rightSection={unit}
            rightSectionWidth={38}
            decimalScale={9}
            placeholder={limit(axis?.maximum)}
          />
          <NumberInput label="Points" value={points} onChange={setPoints} min={1} allowDecimal={false} />
        </div>
      )}
      <div className={styles.moreFields}>
        <MultiSelect
          label={recording ? 'Camera' : 'Detectors'}
          placeholder={detectors.length === 0 ? 'Choose what is recorded' : ''}
          data={(recording ? cameras : readable).map((device) => ({ value: device.id, label: device.label ?? device.name }))}
          value={detectors}
          onChange={recording ? setCameraIds : setDetectorIds}
        />
        {kind === 'linearScan' && <NumberInput label="Dwell" value={dwell} onChange={setDwell} rightSection="s" min={0} placeholder="0" />}
        {kind === 'count' && (
          <>
            <NumberInput label="Readings" value={points} onChange={setPoints} min={1} allowDecimal={false} />
            <NumberInput label="Every" value={delay} onChange={setDelay} rightSection="s" min={0} placeholder="0" />
          </>
        )}
        {recording && <NumberInput label="Frames" value={frames} onChange={setFrames} min={1} allowDecimal={false} />}
        {kind === 'linearScan' && (
          <Switch className={styles.switch} label="Return to start" checked={returnAfter} onChange={(event) => setReturnAfter(event.currentTarget.checked)} />
        )}
        <Button className={styles.go} type="submit" kind="primary" busy={run.busy}>
          {recording ? 'Start recording' : kind === 'count' ? 'Start count' : 'Start scan'}
        </Button>
      </div>
      <RefusalNote
        refusal={missing === undefined ? run.refusal : { message: missing }}
        onDismiss={() => {
          setMissing(undefined)
          run.dismiss()
        }}
      />
    </form>
  )
}

/** The position of what moves, then every number that can be set: a wavelength, a voltage, an exposure. */
function scannablesOf(device: BenchDevice): Scannable[] {
  const name = device.label ?? device.name
  const moved = device.capabilities.includes('MOVABLE') ? mainParameter(device) : undefined
  const position: Scannable[] = device.capabilities.includes('MOVABLE') ? [{ key: device.id, device, title: name, ...bounds(device.motion ?? {}) }] : []
  const settable = device.parameters.filter(
    (parameter) => parameter.access === 'READ_WRITE' && (parameter.kind === 'FLOAT' || parameter.kind === 'INTEGER') && parameter.id !== moved?.id,
  )
  return [
    ...position,
    ...settable.map((parameter) => ({
      key: parameter.id,
      device,
      parameter: parameter.name,
      title: `${name} · ${parameter.name}`,
      ...bounds(parameter),
    })),
  ]
}

function bounds({
  unit,
  minimum,
  maximum,
}: {
  unit?: string | null
  minimum?: number | null
  maximum?: number | null
}): Pick<Scannable, 'unit' | 'minimum' | 'maximum'> {
  return { ...(typeof unit === 'string' && { unit }), ...(typeof minimum === 'number' && { minimum }), ...(typeof maximum === 'number' && { maximum }) }
}

function limit(value: number | undefined): string {
  return value === undefined ? '' : formatBound(value)
}
