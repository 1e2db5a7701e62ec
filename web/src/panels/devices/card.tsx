import { useId, useState } from 'react'
import { counted, positionStep } from '../../model/format.ts'
import { mainParameter } from '../../model/main-parameter.ts'
import { fromReading, type LiveValue } from '../../model/reading-batch.ts'
import { useCommand } from '../../state/use-command.ts'
import { useReading } from '../../state/use-reading.ts'
import { useReason } from '../../state/use-reason.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { Value } from '../../ui/value.tsx'
import { OwnCommands } from './commands.tsx'
import styles from './devices.module.css'
import { CONNECT, type Device, DISCONNECT, REFRESH } from './documents.ts'
import { MotionControls } from './motion.tsx'
import { ParameterRow } from './parameter-row.tsx'
import { EmissionControl, ShutterControl } from './switches.tsx'
import { WavelengthControl } from './tuning.tsx'

const TONES = { CONNECTED: 'good', CONNECTING: 'warn', RECONNECTING: 'warn', DISCONNECTED: 'idle', FAILED: 'bad' } as const
const CONNECTION_WORDS = {
  CONNECTED: 'connected',
  CONNECTING: 'connecting',
  RECONNECTING: 'reconnecting',
  DISCONNECTED: 'disconnected',
  FAILED: 'failed',
} as const
const STATUS_WORDS = { IDLE: 'idle', BUSY: 'busy', WARNING: 'warning', ERROR: 'error', UNSTABLE: 'unstable', DISABLED: 'disabled' } as const

export function DeviceCard({ device }: { device: Device }) {
  const [open, setOpen] = useState(false)
  const details = useId()
  const main = mainParameter(device)
  const initial = main?.reading === null || main?.reading === undefined ? undefined : fromReading(main.reading)
  const value = useReading(main === undefined ? undefined : { parameterId: main.id, deviceId: device.id, name: main.name }, initial)
  const reason = useReason(main?.id, value?.quality)
  const connected = device.connection === 'CONNECTED'
  const state = connected ? STATUS_WORDS[device.status.code] : CONNECTION_WORDS[device.connection]
  return (
    <article className={styles.card} data-device={device.name} data-connection={device.connection} aria-label={device.label ?? device.name}>
      <div className={styles.top}>
        <span className="mark" data-tone={connected && device.status.code === 'ERROR' ? 'bad' : TONES[device.connection]} />
        <div className={styles.name}>
          <h3>
            {device.label ?? device.name}
            {device.simulated && <span className="tag">simulated</span>}
          </h3>
          <p className="quiet">
            <span data-state>{state}</span>
            {device.status.text !== null && device.status.text !== '' && ` · ${device.status.text}`}
            {` · ${describe(device)}`}
          </p>
        </div>
        {main !== undefined && (
          <span className={styles.main} data-main-value>
            <Value value={value} unit={main.unit} step={main.step ?? positionStep(device.motion)} reason={reason} />
          </span>
        )}
      </div>
      {device.motion !== null && <Travel motion={device.motion} value={value} />}
      {device.capabilities.includes('MOVABLE') && <MotionControls device={device} />}
      {device.wavelength !== null && <WavelengthControl device={device} wavelength={device.wavelength} />}
      {device.shutter !== null && <ShutterControl device={device} shutter={device.shutter} />}
      {device.emission !== null && <EmissionControl device={device} emission={device.emission} />}
      <div className={styles.more}>
        <Button kind="quiet" aria-expanded={open} aria-controls={details} onClick={() => setOpen(!open)}>
          <span className={styles.caret} aria-hidden="true" />
          {[counted(device.parameters.length, 'parameter'), ...(device.commands.length > 0 ? [counted(device.commands.length, 'command')] : [])].join(', ')}
        </Button>
      </div>
      {open && (
        <div id={details} className={styles.details}>
          <ul>
            {device.parameters.map((parameter) => (
              <ParameterRow key={parameter.id} device={device} parameter={parameter} />
            ))}
          </ul>
          {device.commands.length > 0 && <OwnCommands device={device} />}
          <ConnectionTools device={device} />
        </div>
      )}
    </article>
  )
}

function describe(device: Device): string {
  const model = device.driver === null ? 'driver missing' : `${device.driver.vendor} ${device.driver.model}`
  return device.address === null ? model : `${model}, address ${device.address}`
}

/** Where it stands between its limits. */
function Travel({ motion, value }: { motion: NonNullable<Device['motion']>; value: LiveValue | undefined }) {
  const { minimum, maximum } = motion
  if (minimum === null || maximum === null || typeof value?.value !== 'number') return null
  const share = Math.min(1, Math.max(0, (value.value - minimum) / (maximum - minimum)))
  return (
    <div className={styles.travel} aria-hidden="true">
      <span style={{ left: `${share * 100}%` }} />
    </div>
  )
}

function ConnectionTools({ device }: { device: Device }) {
  const connect = useCommand(CONNECT)
  const disconnect = useCommand(DISCONNECT)
  const refresh = useCommand(REFRESH)
  return (
    <div className="stack">
      <div className="row">
        {device.connection === 'DISCONNECTED' || device.connection === 'FAILED' ? (
          <Button busy={connect.busy} onClick={() => void connect.send({ id: device.id })}>
            Connect
          </Button>
        ) : (
          <>
            <Button busy={refresh.busy} onClick={() => void refresh.send({ deviceId: device.id })}>
              Read all again
            </Button>
            <Button kind="quiet" busy={disconnect.busy} onClick={() => void disconnect.send({ id: device.id })}>
              Disconnect
            </Button>
          </>
        )}
        <span className="quiet push">{device.port?.path}</span>
      </div>
      {[connect, disconnect, refresh].map((command, at) => (
        <RefusalNote key={['connect', 'disconnect', 'refresh'][at]} refusal={command.refusal} onDismiss={command.dismiss} />
      ))}
    </div>
  )
}
