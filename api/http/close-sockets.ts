import type { WebSocketServer } from 'ws'

/** A peer that has not answered the closing handshake by then is cut off: a stalled page must not hold up the stop. */
const CLOSE_DEADLINE_MS = 1_000
const GOING_AWAY = 1001 // RFC 6455: the client may come back

export async function closeSockets(sockets: WebSocketServer): Promise<void> {
  for (const client of sockets.clients) client.close(GOING_AWAY, 'the api stops')
  const late = setTimeout(() => {
    for (const client of sockets.clients) client.terminate()
  }, CLOSE_DEADLINE_MS)
  await new Promise<void>((resolve) => sockets.close(() => resolve()))
  clearTimeout(late)
}
