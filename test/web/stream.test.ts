import { once } from 'node:events'
import { createServer } from 'node:http'
import { buildSchema, parse } from 'graphql'
import { createClient } from 'graphql-ws'
import { useServer as serve } from 'graphql-ws/use/ws'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { follow } from '../../web/src/state/stream.ts'
import { until } from '../until.ts'

const schema = buildSchema('type Query { a: Int } type Subscription { numbers(after: Int): Int }')
const NUMBERS = parse('subscription Numbers($after: Int) { numbers(after: $after) }')

test('a stream that lost its connection goes on from its cursor, without a hole and without a repetition', async () => {
  const http = createServer()
  const sockets = new WebSocketServer({ server: http })
  const asked: (number | null)[] = []
  let broken = 0
  const server = serve(
    {
      schema,
      roots: {
        subscription: {
          numbers: async function* ({ after }: { after: number | null }) {
            asked.push(after)
            for (let next = (after ?? 0) + 1; next <= 9; next += 1) {
              yield { numbers: next }
              if (next % 3 === 0 && broken < 2) {
                broken += 1
                for (const socket of sockets.clients) socket.terminate()
                return
              }
            }
          },
        },
      },
    },
    sockets,
  )
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const streams = createClient({
    url: `ws://127.0.0.1:${port}`,
    webSocketImpl: WebSocket,
    retryAttempts: 10,
    shouldRetry: () => true,
    retryWait: async () => undefined,
  })
  const seen: number[] = []
  let last: number | null = null
  const end = follow<{ numbers: number }, { after: number | null }>({ streams }, NUMBERS, () => ({ after: last }), {
    next: ({ numbers }) => {
      last = numbers
      seen.push(numbers)
    },
    error: (message) => expect.unreachable(message),
  })
  try {
    await until(() => seen.length >= 9, { what: 'nine numbers' })
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(asked[0]).toBeNull()
    expect(asked.length).toBeGreaterThan(1)
  } finally {
    end()
    await streams.dispose()
    await server.dispose()
    http.close()
  }
})
