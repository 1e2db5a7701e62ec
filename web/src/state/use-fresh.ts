import { useCallback, useEffect, useRef } from 'react'
import { type TypedDocumentNode, useQuery } from 'urql'
import type { EventKind } from './feed.ts'
import { useLab } from './lab.tsx'

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
  const latest = useRef({ refresh, kinds })
  latest.current = { refresh, kinds }
  const paused = options.pause === true
  useEffect(
    () =>
      paused
        ? undefined
        : feed.on(
            () => latest.current.kinds,
            () => latest.current.refresh(),
          ),
    [feed, paused],
  )
  return { data: result.data, problem: result.data === undefined ? result.error?.message : undefined, loading: result.fetching, refresh }
}
