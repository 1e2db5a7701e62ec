import { NumberInput } from '@mantine/core'
import { useState } from 'react'
import { formatRange, unitLabel } from '../../model/format.ts'
import { fromReading } from '../../model/reading-batch.ts'
import { toNumber } from '../../model/value-input.ts'
import { newIdempotencyKey, useCommand } from '../../state/use-command.ts'
import { useReading } from '../../state/use-reading.ts'
import { useReason } from '../../state/use-reason.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { Value } from '../../ui/value.tsx'
import styles from './devices.module.css'
import { type Device, SET_WAVELENGTH } from './documents.ts'

/** Where the light is, and where to tune it. The button stays busy until the instrument says that it has arrived. */
export function WavelengthControl({ device, wavelength }: { device: Device; wavelength: NonNullable<Device['wavelength']> }) {
  const [target, setTarget] = useState<string | number>('')
  const set = useCommand(SET_WAVELENGTH, () => setTarget(''))
  const { parameter, unit } = wavelength
  const known = device.parameters.find((candidate) => candidate.id === parameter?.id)
  const initial = known?.reading === null || known?.reading === undefined ? undefined : fromReading(known.reading)
  const value = useReading(parameter === null ? undefined : { parameterId: parameter.id, deviceId: device.id, name: parameter.name }, initial)
  const reason = useReason(parameter?.id, value?.quality)
  const wanted = toNumber(target)
  return (
    <form
      className={styles.tuning}
      data-wavelength
      onSubmit={(event) => {
        event.preventDefault()
        if (wanted !== undefined) void set.send({ deviceId: device.id, value: wanted, unit, options: { idempotencyKey: newIdempotencyKey() } })
      }}
    >
      <span className={styles.parameterName}>Wavelength</span>
      <Value value={value} unit={known?.unit ?? unit} step={known?.step} reason={reason} />
      <NumberInput
        aria-label={`Tune ${device.label ?? device.name} to`}
        placeholder={formatRange(wavelength)}
        value={target}
        onChange={setTarget}
        rightSection={unitLabel(unit)}
        rightSectionWidth={40}
        decimalScale={9}
      />
      <Button type="submit" kind="primary" busy={set.busy} disabled={wanted === undefined}>
        Tune
      </Button>
      <div className={styles.parameterNote}>
        <RefusalNote refusal={set.refusal} onDismiss={set.dismiss} />
      </div>
    </form>
  )
}
