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
  const underway = result.fetching || result.stale
  const outdated = useRef(false)
  // An answer that is on its way may have been made before the change, and a second request would be merged into it: ask again once it is here.
  const changed = () => {
    if (underway) outdated.current = true
    else refresh()
  }
  const latest = useRef({ changed, kinds })
  latest.current = { changed, kinds }
  useEffect(() => {
    if (underway || !outdated.current) return
    outdated.current = false
    refresh()
  }, [underway, refresh])
  const paused = options.pause === true
  useEffect(
    () =>
      paused
        ? undefined
        : feed.on(
            () => latest.current.kinds,
            () => latest.current.changed(),
          ),
    [feed, paused],
  )
  const data = result.data ?? undefined // null: the whole answer was refused
  return { data, problem: data === undefined ? result.error?.message : undefined, loading: result.fetching, refresh }
}
