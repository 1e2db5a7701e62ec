import { NumberInput, Select, TextInput } from '@mantine/core'
import { formatRange, unitLabel } from '../model/format.ts'
import type { SettingShape } from '../model/setting-input.ts'

type Setting = SettingShape & {
  readonly unit: string | null
  readonly description: string | null
  readonly minimum: number | null
  readonly maximum: number | null
  readonly choices: readonly string[] | null
}

type Field = string | number

/** The control that the kind of a setting asks for; empty means its default. */
export function SettingField({ setting, value, onChange }: { setting: Setting; value: Field; onChange: (value: Field) => void }) {
  const { name, kind, unit, description, required, choices } = setting
  const common = { label: name, description: description ?? undefined, required: required && setting.default === null }
  const options = kind === 'BOOLEAN' ? ['true', 'false'] : choices
  if (options !== null && (kind === 'ENUM' || kind === 'BOOLEAN'))
    return (
      <Select
        {...common}
        data={[...options]}
        value={value === '' ? null : String(value)}
        placeholder={setting.default ?? ''}
        clearable
        onChange={(choice) => onChange(choice ?? '')}
      />
    )
  if (kind === 'FLOAT' || kind === 'INTEGER')
    return (
      <NumberInput
        {...common}
        value={value}
        onChange={onChange}
        placeholder={setting.default ?? formatRange(setting)}
        rightSection={unitLabel(unit)}
        rightSectionWidth={36}
        decimalScale={kind === 'INTEGER' ? 0 : 9}
      />
    )
  return <TextInput {...common} value={value} placeholder={setting.default ?? ''} onChange={(event) => onChange(event.currentTarget.value)} />
}
