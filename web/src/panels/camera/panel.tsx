import { NumberInput, Select } from '@mantine/core'
import { useState } from 'react'
import { formatNumber } from '../../model/format.ts'
import { toNumber } from '../../model/value-input.ts'
import { newIdempotencyKey, useCommand } from '../../state/use-command.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { Button } from '../../ui/button.tsx'
import { Empty, PanelFrame, usePanel } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import styles from './camera.module.css'
import { CAMERAS, type Camera, CONFIGURE, START_LIVE, STOP_LIVE } from './documents.ts'
import { Viewer } from './viewer.tsx'

const NO_VARIABLES = {}

/** One camera live: its picture and what is read from it, its rate and its losses, exposure, start and stop. */
export function Panel() {
  const { data, refresh } = useFresh(CAMERAS, NO_VARIABLES, ['DEVICE', 'RUN', 'EMERGENCY_STOP'])
  const { title } = usePanel()
  const [chosen, setChosen] = useState<string>()
  const cameras = data?.devices.edges.map((edge) => edge.node) ?? []
  const camera = cameras.find((each) => each.id === chosen) ?? cameras[0]
  return (
    <PanelFrame
      note={cameras.length === 1 ? nameBeside(title, camera?.label ?? camera?.name) : undefined}
      tools={
        cameras.length > 1 && (
          <Select
            aria-label="Camera"
            data={cameras.map((each) => ({ value: each.id, label: each.label ?? each.name }))}
            value={camera?.id ?? null}
            onChange={(id) => setChosen(id ?? undefined)}
          />
        )
      }
    >
      {camera === undefined ? data !== undefined && <Empty>No camera is registered.</Empty> : <CameraView key={camera.id} camera={camera} changed={refresh} />}
    </PanelFrame>
  )
}

/** Said once is enough. */
function nameBeside(title: string, name: string | undefined): string | undefined {
  return name?.toLowerCase() === title.toLowerCase() ? undefined : name
}

function CameraView({ camera, changed }: { camera: Camera; changed: () => void }) {
  const start = useCommand(START_LIVE, changed)
  const stop = useCommand(STOP_LIVE, changed)
  const configure = useCommand(CONFIGURE, changed)
  const [exposure, setExposure] = useState<string | number>('')
  const live = camera.camera?.streaming === true
  const known = camera.camera?.exposure
  const seconds = known?.number === null || known?.number === undefined ? undefined : known.number * (SECONDS_PER[known.unit ?? 's'] ?? 1)
  const given = toNumber(exposure)
  return (
    <div className="stack" data-camera={camera.name} data-live={live}>
      <Viewer
        camera={camera}
        live={live}
        onCameraRoi={(roi) => configure.send({ input: { deviceId: camera.id, roi, options: { idempotencyKey: newIdempotencyKey() } } })}
        isConfiguring={configure.busy}
      >
        <div className={styles.controls}>
          {live ? (
            <Button busy={stop.busy} onClick={() => void stop.send({ deviceId: camera.id })}>
              Stop live
            </Button>
          ) : (
            <Button kind="primary" busy={start.busy} onClick={() => void start.send({ deviceId: camera.id })}>
              Start live
            </Button>
          )}
          {camera.capabilities.includes('EXPOSURE_CONTROL') && (
            <form
              className={styles.exposure}
              onSubmit={(event) => {
                event.preventDefault()
                if (given !== undefined)
                  void configure.send({ input: { deviceId: camera.id, exposureSeconds: given / 1000, options: { idempotencyKey: newIdempotencyKey() } } })
              }}
            >
              <NumberInput
                aria-label="Exposure"
                placeholder={seconds === undefined ? 'Exposure' : formatNumber(seconds * 1000)}
                value={exposure}
                onChange={setExposure}
                rightSection="ms"
                rightSectionWidth={34}
                decimalScale={6}
              />
              <Button type="submit" busy={configure.busy} disabled={given === undefined}>
                Set exposure
              </Button>
            </form>
          )}
        </div>
        <RefusalNote
          refusal={start.refusal ?? stop.refusal ?? configure.refusal}
          onDismiss={() => {
            for (const command of [start, stop, configure]) command.dismiss()
          }}
        />
      </Viewer>
    </div>
  )
}

const SECONDS_PER: Readonly<Record<string, number>> = { s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9, min: 60 }
