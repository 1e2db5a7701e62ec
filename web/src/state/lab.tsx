import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react'
import { Provider, type TypedDocumentNode, useClient, useQuery } from 'urql'
import type { LiveValue } from '../data/reading-batch.ts'
import type { Wanted } from '../data/selection.ts'
import { type Refusal, refusalOf } from '../graphql.ts'
import { type Connection, openConnection } from './connection.ts'
import { EventFeed, type EventKind } from './feed.ts'
import { LiveReadings } from './live.ts'
import { follow, type StreamSink } from './stream.ts'

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

type Fetched<Data> = { readonly data: Data | undefined; readonly problem: string | undefined; readonly loading: boolean; refresh(): void }

/** A query that is asked again when an event of one of `kinds` says that its answer has changed. */
export function useFresh<Data, Variables extends object>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  kinds: readonly EventKind[],
  options: { pause?: boolean } = {},
): Fetched<Data> {
  const { feed } = useLab()
  const [result, execute] = useQuery<Data, object>({ query: document, variables, pause: options.pause ?? false })
  const refresh = useCallback(() => execute({ requestPolicy: 'network-only' }), [execute])
  const latest = useRef(refresh)
  latest.current = refresh
  const key = kinds.join()
  const paused = options.pause === true
  useEffect(() => (paused || key === '' ? undefined : feed.on(key.split(',') as EventKind[], () => latest.current())), [feed, key, paused])
  return { data: result.data, problem: result.data === undefined ? result.error?.message : undefined, loading: result.fetching, refresh }
}

export type Command<Variables> = {
  readonly busy: boolean
  readonly refusal: Refusal | undefined
  /** Sends the mutation; false when it was refused or did not arrive (the refusal says why). */
  send(variables: Variables): Promise<boolean>
  dismiss(): void
}

/** A mutation whose refusal is kept to be shown beside the control that sent it. `done` gets the accepted payload. */
export function useCommand<Data extends object, Variables extends object>(
  document: TypedDocumentNode<Data, Variables>,
  done?: (data: Data) => void,
): Command<Variables> {
  const client = useClient()
  const [busy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<Refusal>()
  const latestDone = useRef(done)
  latestDone.current = done
  const send = useCallback(
    async (variables: Variables) => {
      setBusy(true)
      setRefusal(undefined)
      const { data, error } = await client.mutation(document, variables).toPromise()
      setBusy(false)
      const [field] = data === undefined || data === null ? [] : Object.values(data)
      const refused =
        error === undefined ? refusalOf(field) : { message: sentence(error.networkError?.message, error.graphQLErrors[0]?.message), code: 'REQUEST' }
      setRefusal(refused)
      if (refused !== undefined || data === undefined) return false
      latestDone.current?.(data)
      return true
    },
    [client, document],
  )
  return { busy, refusal, send, dismiss: useCallback(() => setRefusal(undefined), []) }
}

function sentence(network: string | undefined, graph: string | undefined): string {
  if (graph !== undefined) return graph
  return `The server could not be reached (${network ?? 'no answer'}). Whether the command arrived is unknown.`
}

/** Follows a subscription while the component is there and `key` is set; a new key begins a new stream. */
export function useStream<Data, Variables extends object>(
  document: TypedDocumentNode<Data, Variables>,
  key: string | undefined,
  variables: () => Variables,
  sink: StreamSink<Data>,
): void {
  const { connection } = useLab()
  const latest = useRef({ variables, sink })
  latest.current = { variables, sink }
  useEffect(() => {
    if (key === undefined) return undefined
    return follow(connection, document, () => latest.current.variables(), {
      next: (data) => latest.current.sink.next(data),
      error: (message) => latest.current.sink.error(message),
      complete: () => latest.current.sink.complete?.(),
    })
  }, [connection, document, key])
}

/** The present value of a parameter, from the shared stream; `initial` until the first one comes. */
export function useReading(wanted: Wanted | undefined, initial?: LiveValue): LiveValue | undefined {
  const { live } = useLab()
  const [value, setValue] = useState<LiveValue | undefined>()
  const { parameterId, deviceId, name } = wanted ?? {}
  useEffect(() => {
    if (parameterId === undefined || deviceId === undefined || name === undefined) return undefined
    setValue(live.latest(parameterId))
    return live.watch({ parameterId, deviceId, name }, (values) => setValue(values.at(-1)))
  }, [live, parameterId, deviceId, name])
  return value ?? initial
}

/** Exactly once per press of a button: a retry of the network with the same key moves nothing twice. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16)) // randomUUID is missing on plain http from another host
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
