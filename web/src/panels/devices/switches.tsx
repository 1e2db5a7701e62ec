import { useState } from 'react'
import type { LiveValue } from '../../model/reading-batch.ts'
import { newIdempotencyKey, useCommand } from '../../state/use-command.ts'
import { useReading } from '../../state/use-reading.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import styles from './devices.module.css'
import { type Device, SET_EMISSION, SET_SHUTTER } from './documents.ts'

type Switch = { parameter: { id: string; name: string } | null; quality: LiveValue['quality'] }

/** The shutter's present state in words, and the way to the other one. */
export function ShutterControl({ device, shutter }: { device: Device; shutter: NonNullable<Device['shutter']> }) {
  const open = useSwitch(device, shutter, shutter.open)
  const set = useCommand(SET_SHUTTER)
  const send = (wanted: boolean) => void set.send({ deviceId: device.id, open: wanted, options: { idempotencyKey: newIdempotencyKey() } })
  const name = device.label ?? device.name
  return (
    <div className={styles.switch} data-shutter={word(open, 'open', 'closed')}>
      <span className={styles.parameterName}>Shutter</span>
      <strong>{word(open, 'open', 'closed')}</strong>
      <Button busy={set.busy} disabled={open === true} onClick={() => send(true)} aria-label={`Open the shutter of ${name}`}>
        Open
      </Button>
      <Button busy={set.busy} disabled={open === false} onClick={() => send(false)} aria-label={`Close the shutter of ${name}`}>
        Close
      </Button>
      <div className={styles.parameterNote}>
        <RefusalNote refusal={set.refusal} onDismiss={set.dismiss} />
      </div>
    </div>
  )
}

/** Switching on takes two steps, because light comes out; switching off takes one. */
export function EmissionControl({ device, emission }: { device: Device; emission: NonNullable<Device['emission']> }) {
  const on = useSwitch(device, emission, emission.on)
  const [asking, setAsking] = useState(false)
  const set = useCommand(SET_EMISSION, () => setAsking(false))
  const send = (wanted: boolean) => void set.send({ deviceId: device.id, on: wanted, options: { idempotencyKey: newIdempotencyKey() } })
  const name = device.label ?? device.name
  return (
    <div className={styles.switch} data-emission={word(on, 'on', 'off')}>
      <span className={styles.parameterName}>Emission</span>
      <strong>{word(on, 'on', 'off')}</strong>
      <Button disabled={on === true || asking} onClick={() => setAsking(true)} aria-label={`Switch on the emission of ${name}`}>
        On…
      </Button>
      <Button busy={set.busy && !asking} disabled={on === false} onClick={() => send(false)} aria-label={`Switch off the emission of ${name}`}>
        Off
      </Button>
      {asking && (
        <fieldset className={styles.confirmation}>
          <legend>Light will leave {name}. Is everybody ready for it?</legend>
          <div className="row">
            <Button kind="primary" busy={set.busy} onClick={() => send(true)}>
              Switch on
            </Button>
            <Button kind="quiet" onClick={() => setAsking(false)}>
              Keep off
            </Button>
          </div>
        </fieldset>
      )}
      <div className={styles.parameterNote}>
        <RefusalNote refusal={set.refusal} onDismiss={set.dismiss} />
      </div>
    </div>
  )
}

/** undefined while nobody can say. */
function useSwitch(device: Device, { parameter, quality }: Switch, initial: boolean | null): boolean | undefined {
  const live = useReading(parameter === null ? undefined : { parameterId: parameter.id, deviceId: device.id, name: parameter.name })
  if (live === undefined) return quality === 'GOOD' ? (initial ?? undefined) : undefined
  return live.quality === 'GOOD' && typeof live.value === 'boolean' ? live.value : undefined
}

function word(state: boolean | undefined, yes: string, no: string): string {
  return state === undefined ? 'not known' : state ? yes : no
}
