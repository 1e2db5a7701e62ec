import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { postStop } from '../../web/src/state/post-stop.ts'

async function answering(status: number, body: string, use: (origin: string, asked: string[]) => Promise<void>): Promise<void> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(status).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  try {
    await use(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, asked)
  } finally {
    server.close()
  }
}

test('is a plain POST with its reason, and silent when everyone acknowledged', () =>
  answering(200, '{"stopped":true,"stations":[]}', async (origin, asked) => {
    expect(await postStop('smoke & fire', origin)).toBeUndefined()
    expect(asked).toEqual(['POST /stop?reason=smoke%20%26%20fire'])
  }))

test('says how many stations did not acknowledge', () =>
  answering(503, '{"stopped":false,"stations":[{"acknowledged":true},{"acknowledged":false}]}', async (origin) => {
    expect(await postStop('x', origin)).toBe('1 of 2 stations did not acknowledge the emergency stop.')
  }))

test('an answer of something else in between is no stop', () =>
  answering(502, '<html>Bad gateway</html>', async (origin) => {
    expect(await postStop('x', origin)).toMatch(/502/)
  }))

test('no server is no stop', async () => {
  expect(await postStop('x', 'http://127.0.0.1:9')).toMatch(/did not reach the server/)
})
