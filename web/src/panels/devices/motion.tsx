import { NumberInput } from '@mantine/core'
import { useState } from 'react'
import { decimalsOf, formatRange, unitLabel } from '../../model/format.ts'
import { toNumber } from '../../model/value-input.ts'
import { isNumber, useRemembered } from '../../state/remembered.ts'
import { newIdempotencyKey, useCommand } from '../../state/use-command.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import styles from './devices.module.css'
import { type Device, HOME, MOVE, STOP } from './documents.ts'

/** Absolute and relative moves, home and stop. Whether a move is allowed is the server's to say; its answer stands below. */
export function MotionControls({ device }: { device: Device }) {
  const [target, setTarget] = useState<string | number>('')
  const [step, setStep] = useRemembered(`jog.${device.name}`, defaultStep(device), isNumber)
  const move = useCommand(MOVE)
  const home = useCommand(HOME)
  const stop = useCommand(STOP)
  const unit = device.motion?.unit ?? undefined
  const label = unitLabel(unit)
  const name = device.label ?? device.name
  const options = () => ({ idempotencyKey: newIdempotencyKey() })
  const clear = () => {
    for (const command of [move, home, stop]) command.dismiss()
  }
  const moveTo = () => {
    const to = toNumber(target)
    clear()
    if (to !== undefined) void move.send({ input: { deviceId: device.id, to, ...(unit !== undefined && { unit }), options: options() } })
  }
  const jog = (by: number) => {
    clear()
    void move.send({ input: { deviceId: device.id, by, ...(unit !== undefined && { unit }), options: options() } })
  }
  return (
    <div className={styles.motion}>
      <form
        className={styles.moveLine}
        onSubmit={(event) => {
          event.preventDefault()
          moveTo()
        }}
      >
        <NumberInput
          aria-label={`Move ${name} to`}
          placeholder={formatRange(device.motion)}
          value={target}
          onChange={setTarget}
          rightSection={label}
          rightSectionWidth={40}
          decimalScale={9}
        />
        <Button type="submit" kind="primary" busy={move.busy} disabled={toNumber(target) === undefined}>
          Move
        </Button>
        <Button kind="halt" busy={stop.busy} onClick={() => void stop.send({ deviceId: device.id })} aria-label={`Stop ${name}`}>
          Stop
        </Button>
      </form>
      <div className={styles.jogLine}>
        <Button onClick={() => jog(-step)} aria-label={`Jog ${name} by minus ${step} ${label}`}>
          −
        </Button>
        <NumberInput
          aria-label={`Jog step of ${name}`}
          value={step}
          min={0}
          onChange={(value) => {
            const next = toNumber(value)
            if (next !== undefined && next > 0) setStep(next)
          }}
          rightSection={label}
          rightSectionWidth={40}
          decimalScale={Math.max(6, decimalsOf(step))}
        />
        <Button onClick={() => jog(step)} aria-label={`Jog ${name} by plus ${step} ${label}`}>
          +
        </Button>
        <Button
          busy={home.busy}
          onClick={() => {
            clear()
            void home.send({ deviceId: device.id, options: options() })
          }}
          aria-label={`Home ${name}`}
        >
          Home
        </Button>
      </div>
      <RefusalNote refusal={move.refusal ?? home.refusal ?? stop.refusal} onDismiss={clear} />
    </div>
  )
}

/** A hundredth of the travel, as a round number. */
function defaultStep(device: Device): number {
  const { minimum, maximum } = device.motion ?? {}
  if (typeof minimum !== 'number' || typeof maximum !== 'number' || maximum <= minimum) return 1
  return 10 ** Math.round(Math.log10((maximum - minimum) / 100))
}
