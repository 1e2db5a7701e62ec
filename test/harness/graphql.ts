import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

export type Variables = Readonly<Record<string, unknown>>
export type GraphQLAnswer<T> = {
  readonly data?: T | null
  readonly errors?: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[]
}

const REQUEST_TIMEOUT_MS = 30_000

/** One request over HTTP as it comes back, errors and all. */
export async function request<T>(url: string, document: string, variables: Variables = {}, headers: Record<string, string> = {}): Promise<GraphQLAnswer<T>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: document, variables }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  })
  const text = await response.text()
  try {
    return JSON.parse(text) as GraphQLAnswer<T>
  } catch (error) {
    throw new Error(`status ${response.status}: ${text}`, { cause: error })
  }
}

/** The data of a query or mutation; throws when there is any error. */
export async function query<T>(url: string, document: string, variables: Variables = {}, headers: Record<string, string> = {}): Promise<T> {
  const { data, errors } = await request<T>(url, document, variables, headers)
  if (errors !== undefined || data === undefined || data === null) throw new Error(errors?.map(({ message }) => message).join('; ') ?? 'no data')
  return data
}

/** The data of each event of a subscription; leaving the loop ends it. Throws at the first error. */
export async function* subscribe<T>(url: string, document: string, variables: Variables = {}): AsyncGenerator<T, void, void> {
  const client = createClient({ url: `${url.replace(/^http/, 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 })
  try {
    for await (const { data, errors } of client.iterate<T>({ query: document, variables })) {
      if (errors !== undefined || data === undefined || data === null) throw new Error(errors?.map(({ message }) => message).join('; ') ?? 'no data')
      yield data
    }
  } finally {
    await client.dispose()
  }
}
