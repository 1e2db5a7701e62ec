import { createContext, type ReactNode, use } from 'react'
import { Provider } from 'urql'
import { type Connection, openConnection } from './connection.ts'
import { EventFeed } from './feed.ts'
import { LiveReadings } from './live.ts'

/** Everything the panels share: one connection, one stream of readings, one feed of events. */
export type LabClient = { readonly connection: Connection; readonly live: LiveReadings; readonly feed: EventFeed; close(): void }

export function openLab(): LabClient {
  const connection = openConnection()
  const live = new LiveReadings(connection)
  const feed = new EventFeed(connection)
  return {
    connection,
    live,
    feed,
    close: () => {
      live.close()
      feed.close()
      connection.close()
    },
  }
}

const LabContext = createContext<LabClient | undefined>(undefined)

export function LabProvider({ lab, children }: { lab: LabClient; children: ReactNode }) {
  return (
    <LabContext value={lab}>
      <Provider value={lab.connection.queries}>{children}</Provider>
    </LabContext>
  )
}

export function useLab(): LabClient {
  const lab = use(LabContext)
  if (lab === undefined) throw new Error('useLab outside of LabProvider')
  return lab
}
