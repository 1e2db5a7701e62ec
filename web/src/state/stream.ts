import { stringifyDocument, type TypedDocumentNode } from '@urql/core'
import type { Connection } from './connection.ts'

export type StreamSink<Data> = {
  readonly next: (data: Data) => void
  readonly error: (message: string) => void
  readonly complete?: () => void
}

/**
 * Follows a subscription over every loss of the connection until the returned function is called. `variables` is asked again each time the
 * stream begins anew: a caller that keeps its last cursor there goes on without a hole.
 */
export function follow<Data, Variables extends object>(
  connection: Pick<Connection, 'streams'>,
  document: TypedDocumentNode<Data, Variables>,
  variables: () => Variables,
  sink: StreamSink<Data>,
): () => void {
  const query = stringifyDocument(document)
  return connection.streams.subscribe<Data>(
    {
      query,
      // The client puts the payload into text for every attempt, so a getter gives each attempt the variables of its moment.
      get variables() {
        return Object.fromEntries(Object.entries(variables()))
      },
    },
    {
      next: (result) => {
        if (result.data !== null && result.data !== undefined) sink.next(result.data)
        const [problem] = result.errors ?? []
        if (problem !== undefined) sink.error(problem.message)
      },
      error: (problem) => sink.error(describe(problem)),
      complete: () => sink.complete?.(),
    },
  )
}

function describe(problem: unknown): string {
  if (Array.isArray(problem)) return problem.map(describe).join(' ')
  if (typeof problem === 'object' && problem !== null && 'message' in problem) return String(problem.message)
  return 'The stream was broken off.'
}
