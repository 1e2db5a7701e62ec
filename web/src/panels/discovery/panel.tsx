import { Select } from '@mantine/core'
import { useState } from 'react'
import { useCommand } from '../../state/use-command.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { Button } from '../../ui/button.tsx'
import { Empty, PanelFrame } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import styles from './discovery.module.css'
import { DISCOVER, type Driver, type Found, PLACES } from './documents.ts'
import { RegisterForm } from './register-form.tsx'

const NO_VARIABLES = {}

/** The ports of a station, what answers on those that nobody has open, and the way to register it. */
export function Panel() {
  const { data, problem } = useFresh(PLACES, NO_VARIABLES, ['STATION'])
  const [chosen, setChosen] = useState<string>()
  const [found, setFound] = useState<readonly Found[]>()
  const discover = useCommand(DISCOVER, ({ discoverDevices }) => {
    if (discoverDevices !== null && 'found' in discoverDevices) setFound(discoverDevices.found)
  })
  const stations = data?.stations.edges.map((edge) => edge.node) ?? []
  const station = stations.find((each) => each.id === chosen) ?? stations.find((each) => each.online) ?? stations[0]
  const look = () => {
    if (station !== undefined) void discover.send({ stationId: station.id })
  }
  const fresh = found?.filter((one) => one.identity !== null && one.known === null).length ?? 0
  return (
    <PanelFrame note={found === undefined ? undefined : `${found.length} found, ${fresh} new`}>
      <div className="stack">
        <div className="row">
          {stations.length > 1 && (
            <Select
              aria-label="Station"
              data={stations.map((each) => ({ value: each.id, label: each.name }))}
              value={station?.id ?? null}
              onChange={(id) => setChosen(id ?? undefined)}
            />
          )}
          <Button kind="primary" busy={discover.busy} disabled={station?.online !== true} onClick={look}>
            {discover.busy ? 'Looking' : 'Find devices'}
          </Button>
          <span className="quiet">Asks who is there. Nothing moves, and open ports are left alone.</span>
        </div>
        {problem !== undefined && <RefusalNote refusal={{ message: problem }} />}
        <RefusalNote refusal={discover.refusal} onDismiss={discover.dismiss} />
        {found !== undefined && found.length === 0 && <Empty>This station has no ports.</Empty>}
        {found !== undefined && station !== undefined && (
          <ul className={styles.found} aria-label="What was found">
            {found.map((one) => (
              <FoundRow
                key={`${one.port.id} ${one.address ?? ''} ${one.identity ?? ''}`}
                found={one}
                stationId={station.id}
                drivers={data?.drivers ?? []}
                again={look}
              />
            ))}
          </ul>
        )}
      </div>
    </PanelFrame>
  )
}

type RowProperties = { found: Found; stationId: string; drivers: readonly Driver[]; again: () => void }

function FoundRow({ found, stationId, drivers, again }: RowProperties) {
  const [open, setOpen] = useState(false)
  const { port, identity, driver, known, address } = found
  const usb = [port.vendor, port.serialNumber].filter((part) => part !== null).join(' ')
  return (
    <li data-found={port.path} data-known={known?.name}>
      <div className={styles.line}>
        <span className="mark" data-tone={known !== null ? 'good' : identity === null ? 'idle' : 'warn'} />
        <div className={styles.what}>
          <strong>{identity ?? (known === null ? 'nothing that is known answers' : 'does not answer')}</strong>
          <p className="quiet">
            {driver !== null && `${driver.vendor} ${driver.model} · `}
            {port.path}
            {address !== null && `, address ${address}`}
            {usb !== '' && ` · ${usb}`}
          </p>
        </div>
        {known !== null ? (
          <span className="tag">{known.label ?? known.name}</span>
        ) : (
          <Button aria-expanded={open} onClick={() => setOpen(!open)} aria-label={`Register what is at ${port.path}${address === null ? '' : ` ${address}`}`}>
            Register…
          </Button>
        )}
      </div>
      {open && known === null && (
        <RegisterForm
          found={found}
          stationId={stationId}
          drivers={drivers}
          registered={() => {
            setOpen(false)
            again()
          }}
        />
      )}
    </li>
  )
}
