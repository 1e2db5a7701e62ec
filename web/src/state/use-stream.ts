import { useEffect, useRef } from 'react'
import type { TypedDocumentNode } from 'urql'
import { useLab } from './lab.tsx'
import { follow, type StreamSink } from './stream.ts'

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
