import { NumberInput, Select, Switch, TextInput } from '@mantine/core'
import { useState } from 'react'
import { formatRange, unitLabel } from '../../model/format.ts'
import { fromReading } from '../../model/reading-batch.ts'
import { toValueInput } from '../../model/value-input.ts'
import { newIdempotencyKey, useCommand } from '../../state/use-command.ts'
import { useReading } from '../../state/use-reading.ts'
import { useReason } from '../../state/use-reason.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { Value } from '../../ui/value.tsx'
import styles from './devices.module.css'
import { type Device, type Parameter, SET } from './documents.ts'

/** One parameter: its live value and, where it can be set, the control that its kind asks for. */
export function ParameterRow({ device, parameter }: { device: Device; parameter: Parameter }) {
  const initial = parameter.reading === null ? undefined : fromReading(parameter.reading)
  const streamed = parameter.kind !== 'LIST' // the live stream has no column for lists; they come with the device
  const value = useReading(streamed ? { parameterId: parameter.id, deviceId: device.id, name: parameter.name } : undefined, initial)
  const why = useReason(parameter.id, value?.quality)
  const set = useCommand(SET)
  const [reason, setReason] = useState<string>()
  const send = (given: string | number | boolean) => {
    const input = toValueInput(parameter.kind, given)
    if ('reason' in input) return setReason(input.reason)
    setReason(undefined)
    void set.send({ input: { deviceId: device.id, name: parameter.name, value: input, options: { idempotencyKey: newIdempotencyKey() } } })
  }
  return (
    <li className={styles.parameter} data-parameter={parameter.name} data-kind={parameter.kind}>
      <span className={styles.parameterName} title={parameter.description ?? undefined}>
        {parameter.name}
      </span>
      <Value value={value} unit={parameter.unit} step={parameter.step} reason={why} />
      {parameter.access !== 'READ_ONLY' && <Control parameter={parameter} current={value?.value} busy={set.busy} onSend={send} />}
      <div className={styles.parameterNote}>
        <RefusalNote
          refusal={reason === undefined ? set.refusal : { message: reason }}
          onDismiss={() => {
            setReason(undefined)
            set.dismiss()
          }}
        />
      </div>
    </li>
  )
}

type ControlProperties = {
  parameter: Parameter
  current: number | string | boolean | undefined
  busy: boolean
  onSend: (given: string | number | boolean) => void
}

function Control({ parameter, current, busy, onSend }: ControlProperties) {
  const [draft, setDraft] = useState<string | number>('')
  const label = `Set ${parameter.name}`
  if (parameter.kind === 'BOOLEAN')
    return (
      <Switch
        className={styles.control}
        aria-label={label}
        checked={current === true}
        disabled={busy}
        onChange={(event) => onSend(event.currentTarget.checked)}
      />
    )
  if (parameter.kind === 'ENUM')
    return (
      <Select
        className={styles.control}
        aria-label={label}
        data={[...(parameter.choices ?? [])]}
        value={typeof current === 'string' ? current : null}
        disabled={busy}
        onChange={(choice) => choice !== null && onSend(choice)}
      />
    )
  const numeric = parameter.kind === 'FLOAT' || parameter.kind === 'INTEGER'
  return (
    <form
      className={styles.control}
      onSubmit={(event) => {
        event.preventDefault()
        onSend(draft)
      }}
    >
      {numeric ? (
        <NumberInput
          aria-label={label}
          placeholder={formatRange(parameter)}
          value={draft}
          onChange={setDraft}
          rightSection={unitLabel(parameter.unit)}
          rightSectionWidth={36}
          decimalScale={parameter.kind === 'INTEGER' ? 0 : 9}
        />
      ) : (
        <TextInput
          aria-label={label}
          placeholder={parameter.kind === 'LIST' ? '1, 2, 3' : ''}
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
        />
      )}
      <Button type="submit" busy={busy} disabled={draft === '' && parameter.kind !== 'TEXT'}>
        Set
      </Button>
    </form>
  )
}
