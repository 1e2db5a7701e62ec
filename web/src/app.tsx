import { useCallback, useEffect, useRef, useState } from 'react'
import { PANELS, type PanelDefinition } from './panels/index.ts'
import { ConnectionBanner } from './shell/connection-banner.tsx'
import { StopBanner, useEmergencyStop } from './shell/emergency.tsx'
import { Header, SHELL, useSchemeSwitch } from './shell/header.tsx'
import { PanelHost } from './shell/panel-host.tsx'
import { ShortcutHelp, useShortcuts } from './shell/shortcuts.tsx'
import { isBoolean, useRemembered } from './state/remembered.ts'
import { useFresh } from './state/use-fresh.ts'

const COLUMNS: readonly PanelDefinition['column'][] = ['left', 'centre', 'right']
const NO_VARIABLES = {}
const OVERVIEW = 'overview'

export function App() {
  const shell = useFresh(SHELL, NO_VARIABLES, ['EMERGENCY_STOP', 'STATION'])
  const stop = useEmergencyStop(shell.refresh)
  const [solo, setSolo] = useSoloPanel()
  const [help, setHelp] = useState(false)
  const [singleKeys, setSingleKeys] = useRemembered('single-keys', true, isBoolean)
  const { next } = useSchemeSwitch()
  useShortcuts({ stop: stop.press, show: setSolo, help: () => setHelp(true), scheme: next }, singleKeys)
  const shown = PANELS.find((panel) => panel.id === solo)
  return (
    <>
      <a className="skip" href="#main">
        Skip to the panels
      </a>
      <header className="header">
        <Header data={shell.data} stop={stop} onHelp={() => setHelp(true)} />
        <nav className="tabs" aria-label="Panels">
          <Tab current={shown === undefined} href={`#${OVERVIEW}`} title="Overview" />
          {PANELS.map((panel) => (
            <Tab key={panel.id} current={panel === shown} href={`#${panel.id}`} title={panel.title} />
          ))}
        </nav>
        <StopBanner stations={shell.data?.lab.stations ?? []} control={stop} afterwards={shell.refresh} />
        <ConnectionBanner />
      </header>
      <main id="main" className={shown === undefined ? 'overview' : 'solo'} tabIndex={-1}>
        <h1 className="hidden-visually">{shown?.title ?? `${shell.data?.lab.name ?? 'Lab'}: overview`}</h1>
        {shown !== undefined ? (
          <PanelHost panel={shown} solo onSolo={setSolo} />
        ) : (
          COLUMNS.map((column) => (
            <div key={column} className="column" data-column={column}>
              {PANELS.filter((panel) => panel.column === column).map((panel) => (
                <PanelHost key={panel.id} panel={panel} solo={false} onSolo={setSolo} />
              ))}
            </div>
          ))
        )}
      </main>
      <ShortcutHelp opened={help} onClose={() => setHelp(false)} singleKeys={singleKeys} onSingleKeys={setSingleKeys} />
    </>
  )
}

function Tab({ current, href, title }: { current: boolean; href: string; title: string }) {
  const link = useRef<HTMLAnchorElement>(null)
  useEffect(() => {
    if (current) link.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [current])
  return (
    <a ref={link} href={href} aria-current={current ? 'page' : undefined}>
      {title}
    </a>
  )
}

/** The panel that fills the page is part of the address: it can be kept as a bookmark, and the back button leads to the overview. */
function useSoloPanel(): [string | undefined, (id: string | undefined) => void] {
  const [solo, setSolo] = useState(panelInAddress)
  useEffect(() => {
    const changed = () => {
      if (location.hash === '#main') return // the skip link moves the focus and nothing else
      setSolo(panelInAddress())
      scrollTo({ top: 0 })
    }
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  const show = useCallback((id: string | undefined) => {
    location.hash = id ?? OVERVIEW
  }, [])
  return [solo, show]
}

function panelInAddress(): string | undefined {
  const id = location.hash.slice(1)
  return PANELS.some((panel) => panel.id === id) ? id : undefined
}
