import type { MantineColorScheme } from '@mantine/core'
import { useMantineColorScheme } from '@mantine/core'
import type { ResultOf } from '../graphql.ts'
import { graphql } from '../graphql.ts'
import { useLab } from '../state/lab.tsx'
import { useStore } from '../state/store.ts'
import { Button } from '../ui/button.tsx'
import { StopButton, type StopControl } from './emergency.tsx'

export const SHELL = graphql(`
  query Shell {
    lab {
      name
      version
      stations { id name host online lastSeen emergencyStop { active by reason at } }
    }
  }
`)

export type ShellData = ResultOf<typeof SHELL>
export type ShellStation = ShellData['lab']['stations'][number]

const SCHEMES = ['auto', 'light', 'dark'] as const satisfies readonly MantineColorScheme[]
const SCHEME_WORDS = { auto: 'as the system', light: 'light', dark: 'dark' } as const
const SCHEME_PATHS = {
  auto: 'M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2m0 1.4v8.8a4.4 4.4 0 0 0 0-8.8z',
  light: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M3 13l1.2-1.2M11.8 4.2 13 3',
  dark: 'M13.2 9.8A5.6 5.6 0 0 1 6.2 2.8a5.6 5.6 0 1 0 7 7',
} as const

export function useSchemeSwitch(): { scheme: MantineColorScheme; next: () => void } {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return { scheme: colorScheme, next: () => setColorScheme(SCHEMES[(SCHEMES.indexOf(colorScheme) + 1) % SCHEMES.length] ?? 'auto') }
}

type Properties = { data: ShellData | undefined; stop: StopControl; onHelp: () => void }

export function Header({ data, stop, onHelp }: Properties) {
  const { scheme, next } = useSchemeSwitch()
  return (
    <div className="header-line">
      {/* "#/" and not a place on the page: the links before the first such one are taken for ways to skip to the content. */}
      <a className="brand" href="#/">
        <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 19h6l2-3 2.5 9L17 5l3 17 2-4 1.5 1H29" fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round" />
        </svg>
        <span>
          <strong>{data?.lab.name ?? 'Kymograph'}</strong>
          <small>{data?.lab.version ?? '…'}</small>
        </span>
      </a>
      <div className="header-state">
        <Live />
        {data?.lab.stations.map((station) => (
          <span key={station.id} className="header-item" title={`Station ${station.name} on ${station.host}`}>
            <span className="mark" data-tone={station.online ? 'good' : 'bad'} />
            {station.name}
            {!station.online && ' is away'}
          </span>
        ))}
      </div>
      <div className="header-tools">
        <Button kind="quiet" onClick={next} title={`Colours: ${SCHEME_WORDS[scheme]} (T)`} aria-label={`Colours: ${SCHEME_WORDS[scheme]}. Switch.`}>
          <svg
            width="16"
            height="16"
            viewBox="0 0 16 16"
            fill={scheme === 'auto' ? 'currentColor' : 'none'}
            stroke="currentColor"
            strokeWidth="1.4"
            strokeLinecap="round"
            aria-hidden="true"
          >
            <path d={SCHEME_PATHS[scheme]} fillRule="evenodd" />
          </svg>
        </Button>
        <Button kind="quiet" className="keyboard-help" onClick={onHelp} aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">
          ?
        </Button>
        <StopButton control={stop} />
      </div>
    </div>
  )
}

function Live() {
  const { connection } = useLab()
  const { phase } = useStore(connection.state)
  return (
    <span className="header-item" data-connection={phase}>
      <span className="mark" data-tone={phase === 'LIVE' ? 'good' : 'warn'} />
      {phase === 'LIVE' ? 'Live' : phase === 'LOST' ? 'Lost' : 'Connecting'}
    </span>
  )
}
