import { TextInput } from '@mantine/core'
import { useDeferredValue, useState } from 'react'
import { useFresh } from '../../state/use-fresh.ts'
import { Empty, PanelFrame } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { DeviceCard } from './card.tsx'
import styles from './devices.module.css'
import { DEVICES, type Device } from './documents.ts'

const NO_VARIABLES = {}
const SEARCH_FROM = 8 // fewer devices than this are seen at a glance

/** Every device with its live value, its state, and what can be done with it, as its capabilities say. */
export function Panel() {
  const { data, problem } = useFresh(DEVICES, NO_VARIABLES, ['DEVICE', 'STATION', 'EMERGENCY_STOP'])
  const [text, setText] = useState('')
  const wanted = useDeferredValue(text.trim().toLowerCase())
  const devices = data?.devices.edges.map((edge) => edge.node) ?? []
  const shown = devices.filter((device) => matches(device, wanted))
  const connected = devices.filter((device) => device.connection === 'CONNECTED').length
  return (
    <PanelFrame flush note={data === undefined ? undefined : `${connected} of ${devices.length} connected`}>
      {problem !== undefined && <RefusalNote refusal={{ message: problem }} />}
      {devices.length >= SEARCH_FROM && (
        <div className={styles.search}>
          <TextInput aria-label="Find a device" placeholder="Find a device" value={text} onChange={(event) => setText(event.currentTarget.value)} />
        </div>
      )}
      <ul className={styles.list}>
        {shown.map((device) => (
          <li key={device.id}>
            <DeviceCard device={device} />
          </li>
        ))}
      </ul>
      {data !== undefined && shown.length === 0 && (
        <Empty>{devices.length === 0 ? 'No devices are registered yet. Find devices looks for them.' : `No device matches “${text}”.`}</Empty>
      )}
      {data?.devices.pageInfo.hasNextPage === true && <Empty>The first 200 devices are shown.</Empty>}
    </PanelFrame>
  )
}

function matches(device: Device, text: string): boolean {
  return text === '' || [device.name, device.label, device.driver?.model, device.port?.path].some((field) => field?.toLowerCase().includes(text) === true)
}
