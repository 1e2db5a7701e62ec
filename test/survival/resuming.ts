import { setTimeout as pause } from 'node:timers/promises'
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import type { Variables } from '../harness/graphql.ts'

const AGAIN_AFTER_MS = 25 // a client is impatient; the server must bear it

export type Resuming = AsyncDisposable & {
  /** How often a connection of it was lost. */
  readonly losses: number
  /** Each batch of the subscription, over all losses: it is asked for again after the cursor of the last batch. Ends with the signal; throws what GraphQL refuses. */
  follow<Batch extends { readonly cursor: string }>(subscription: Subscription<Batch>, signal: AbortSignal): AsyncGenerator<Batch, void, void>
}

export type Subscription<Batch> = {
  /** With a variable `$after: Cursor`, and one field, `field`. */
  readonly document: string
  readonly field: string
  readonly variables?: Variables
  readonly after?: string
  /** The server ends it when there is no more; otherwise it is asked for again. */
  readonly ends?: boolean
  /** Keeps the type. */
  readonly batch?: Batch
}

/** An ordinary graphql-ws client as anybody would write it: no retries of its own, since those would repeat the first cursor. */
export function resumingClient(url: string): Resuming {
  let losses = 0
  const client: Client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    on: {
      closed: () => {
        losses += 1
      },
    },
  })
  return {
    get losses() {
      return losses
    },
    async *follow<Batch extends { readonly cursor: string }>(
      { document, field, variables = {}, after, ends = false }: Subscription<Batch>,
      signal: AbortSignal,
    ) {
      let cursor = after
      while (!signal.aborted) {
        const batches = client.iterate<Record<string, Batch>>({ query: document, variables: { ...variables, ...(cursor !== undefined && { after: cursor }) } })
        const stop = (): void => void batches.return?.()
        signal.addEventListener('abort', stop, { once: true })
        try {
          for await (const { data, errors } of batches) {
            const batch = data?.[field]
            if (errors !== undefined || batch === undefined) throw new Error(`refused: ${JSON.stringify(errors)}`)
            cursor = batch.cursor
            yield batch
          }
          if (ends) return
        } catch (error) {
          if (Array.isArray(error) || (error instanceof Error && error.message.startsWith('refused'))) throw error
        } finally {
          signal.removeEventListener('abort', stop)
        }
        await pause(AGAIN_AFTER_MS, undefined, { signal }).catch(() => undefined) // the loop ends
      }
    },
    [Symbol.asyncDispose]: async () => void (await client.dispose()),
  }
}
