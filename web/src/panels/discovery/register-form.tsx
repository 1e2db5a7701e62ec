import { Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { toNamedValues } from '../../model/setting-input.ts'
import { useCommand } from '../../state/use-command.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { SettingField } from '../../ui/setting-field.tsx'
import { type Driver, type Found, REGISTER } from './documents.ts'
import { foundFields } from './found-fields.ts'

type Properties = { found: Found; stationId: string; drivers: readonly Driver[]; registered: () => void }

/** A name, and what the driver must be told. What answered has said it all; otherwise a person says which driver it is. */
export function RegisterForm({ found, stationId, drivers, registered }: Properties) {
  const [name, setName] = useState('')
  const [driverId, setDriverId] = useState(found.driver?.id)
  const [fields, setFields] = useState<Readonly<Record<string, string | number>>>(() => foundFields(found))
  const [missing, setMissing] = useState<string>()
  const register = useCommand(REGISTER, registered)
  const driver = drivers.find((each) => each.id === driverId)
  const send = () => {
    if (driver === undefined) return
    const given = toNamedValues(driver.connection, fields)
    if ('reason' in given) return setMissing(given.reason)
    setMissing(undefined)
    void register.send({ input: { name: name.trim(), driver: driver.id, stationId, settings: given.values } })
  }
  return (
    <form
      className="stack"
      aria-label={`Register what is at ${found.port.path}`}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <TextInput label="Name" description="Unique; letters, digits, _ - and ." value={name} onChange={(event) => setName(event.currentTarget.value)} />
      {found.driver === null && (
        <Select
          label="Driver"
          searchable
          data={drivers.map((each) => ({ value: each.id, label: `${each.vendor} ${each.model}` }))}
          value={driverId ?? null}
          onChange={(id) => setDriverId(id ?? undefined)}
        />
      )}
      {found.driver === null &&
        driver?.connection.map((setting) => (
          <SettingField
            key={setting.name}
            setting={setting}
            value={fields[setting.name] ?? ''}
            onChange={(value) => setFields((before) => ({ ...before, [setting.name]: value }))}
          />
        ))}
      <div className="row">
        <Button type="submit" kind="primary" busy={register.busy} disabled={name.trim() === '' || driver === undefined}>
          Register
        </Button>
      </div>
      <RefusalNote
        refusal={missing === undefined ? register.refusal : { message: missing }}
        onDismiss={() => {
          setMissing(undefined)
          register.dismiss()
        }}
      />
    </form>
  )
}
