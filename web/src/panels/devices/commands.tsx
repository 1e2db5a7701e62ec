import { useMemo, useState } from 'react'
import { toNamedValues } from '../../model/setting-input.ts'
import { newIdempotencyKey, useCommand } from '../../state/use-command.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { SettingField } from '../../ui/setting-field.tsx'
import styles from './devices.module.css'
import { type Command, type Device, INVOKE, OWN_COMMANDS } from './documents.ts'

/** The commands of the device's own, each with the form that its arguments ask for. */
export function OwnCommands({ device }: { device: Device }) {
  const { data, problem } = useFresh(
    OWN_COMMANDS,
    useMemo(() => ({ id: device.id }), [device.id]),
    ['DEVICE'],
  )
  if (problem !== undefined) return <RefusalNote refusal={{ message: problem }} />
  return (
    <ul aria-label={`Commands of ${device.label ?? device.name}`}>
      {data?.device?.commands.map((command) => (
        <CommandForm key={command.name} device={device} command={command} />
      ))}
    </ul>
  )
}

function CommandForm({ device, command }: { device: Device; command: Command }) {
  const [fields, setFields] = useState<Readonly<Record<string, string | number>>>({})
  const [missing, setMissing] = useState<string>()
  const [answer, setAnswer] = useState<string>()
  const invoke = useCommand(INVOKE, ({ invoke: done }) => {
    if (done !== null && 'elapsedMs' in done && typeof done.elapsedMs === 'number') setAnswer(wordsOf('value' in done ? done.value : null))
  })
  const send = () => {
    const given = toNamedValues(command.arguments, fields)
    setAnswer(undefined)
    if ('reason' in given) return setMissing(given.reason)
    setMissing(undefined)
    void invoke.send({ deviceId: device.id, command: command.name, arguments: given.values, options: { idempotencyKey: newIdempotencyKey() } })
  }
  return (
    <li>
      <form
        className={styles.command}
        data-command={command.name}
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        <span className={styles.parameterName} title={command.description}>
          {command.name}
        </span>
        <Button type="submit" busy={invoke.busy} aria-label={`${command.name}: ${command.description}`}>
          Do it
        </Button>
        {command.arguments.map((argument) => (
          <div key={argument.name} className={styles.parameterNote}>
            <SettingField
              setting={argument}
              value={fields[argument.name] ?? ''}
              onChange={(value) => setFields((before) => ({ ...before, [argument.name]: value }))}
            />
          </div>
        ))}
        <output className={styles.parameterNote}>{answer}</output>
        <div className={styles.parameterNote}>
          <RefusalNote
            refusal={missing === undefined ? invoke.refusal : { message: missing }}
            onDismiss={() => {
              setMissing(undefined)
              invoke.dismiss()
            }}
          />
        </div>
      </form>
    </li>
  )
}

function wordsOf(value: unknown): string {
  return value === null || value === undefined ? 'Done.' : `It answers ${Array.isArray(value) ? value.join(', ') : String(value)}.`
}
