import { useCallback, useRef, useState } from 'react'
import { type TypedDocumentNode, useClient } from 'urql'
import { type Refusal, refusalOf } from '../graphql.ts'

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

/** Exactly once per press of a button: a retry of the network with the same key moves nothing twice. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16)) // randomUUID is missing on plain http from another host
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
