import { get as httpGet } from 'node:http'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { globalId } from '../../api/global-id.ts'
import { createLog } from '../../api/log.ts'
import { startApi } from '../../api/server.ts'
import { CannotStart } from '../../link/child.ts'
import { STAGE } from './fake-station.ts'
import { type Answer, startTestLab, type TestLab } from './lab.ts'

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab({ allowedOrigins: ['https://friend.example'] })
})
afterAll(() => lab.close())

/** fetch does not let Host and Origin be set. */
async function get(path: string, headers: Record<string, string>): Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    httpGet(`${lab.api.url}${path}`, { headers }, (response) => {
      const parts: Buffer[] = []
      response
        .on('data', (part: Buffer) => parts.push(part))
        .on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }))
    }).on('error', reject)
  })
}

async function upgrade(path: string, headers: Record<string, string>): Promise<'open' | number> {
  const socket = new WebSocket(`${lab.api.url.replace('http', 'ws')}${path}`, 'graphql-transport-ws', { headers })
  return new Promise((resolve) => {
    socket.on('open', () => {
      socket.close()
      resolve('open')
    })
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.on('error', () => undefined)
  })
}

describe('origins', () => {
  it.each([
    ['no origin', {}, 200],
    ['the own origin', { origin: 'SELF' }, 200],
    ['an allowed origin', { origin: 'https://friend.example' }, 200],
    ['a foreign origin', { origin: 'https://evil.example' }, 403],
    ['a page without an origin', { origin: 'null' }, 403],
    ['a foreign name for this machine', { host: 'evil.example' }, 403],
    ['the name localhost', { host: 'localhost:1' }, 200],
  ])('%s', async (_what, given: Record<string, string>, status) => {
    const headers = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value === 'SELF' ? lab.api.url : value]))
    expect((await get('/healthz', headers)).status).toBe(status)
    expect(await upgrade('/graphql', headers)).toBe(status === 200 ? 'open' : 403)
  })

  it('let pages of allowed origins read the answers', async () => {
    const preflight = await fetch(`${lab.api.url}/graphql`, {
      method: 'OPTIONS',
      headers: { origin: 'https://friend.example', 'access-control-request-method': 'POST' },
    })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, 'https://friend.example'])
  })

  it('do not let a form of another page act: a POST needs a type that forms cannot have', async () => {
    const response = await fetch(`${lab.api.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{"query":"mutation { emergencyStop { elapsedMs } }"}',
    })
    expect(response.status).toBe(400)
  })
})

describe('API keys', () => {
  const make = async (role: string): Promise<{ id: string; bearer: Record<string, string>; secret: string }> => {
    const { data } = await lab.ask<{ createApiKey: { secret: string; apiKey: { id: string } } }>(
      'mutation ($role: Role!) { createApiKey(input: { name: "robot", role: $role }) { ... on ApiKeyPayload { secret apiKey { id name role lastUsedAt } } } }',
      { role },
    )
    const { secret, apiKey } = data.createApiKey
    return { id: apiKey.id, secret, bearer: { authorization: `Bearer ${secret}` } }
  }

  it('name the actor and bound what it may do', async () => {
    const viewer = await make('VIEWER')
    expect((await lab.ask('{ viewer { name role apiKeys { name } } }', {}, viewer.bearer)).data).toEqual({
      viewer: { name: 'robot', role: 'VIEWER', apiKeys: [] },
    })
    const move = await lab.ask(
      'mutation ($id: ID!) { move(input: { deviceId: $id, to: 1 }) { __typename ... on Forbidden { needed } } }',
      { id: globalId('Device', STAGE) },
      viewer.bearer,
    )
    expect(move.data).toEqual({ move: { __typename: 'Forbidden', needed: 'OPERATOR' } })
    const stop = await lab.ask('mutation { emergencyStop { elapsedMs } }', {}, viewer.bearer)
    expect(stop.errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN')

    const operator = await make('OPERATOR')
    await lab.ask('mutation ($id: ID!) { move(input: { deviceId: $id, to: 1 }) { __typename } }', { id: globalId('Device', STAGE) }, operator.bearer)
    expect(lab.station.commands.at(-1)?.cause).toMatchObject({ kind: 'API_KEY', actor: 'robot' })
    expect((await lab.ask('mutation { createApiKey(input: { name: "x", role: ADMIN }) { __typename } }', {}, operator.bearer)).data).toEqual({
      createApiKey: { __typename: 'Forbidden' },
    })
  })

  it('end when they are revoked, and are refused on HTTP and on the WebSocket when they are wrong', async () => {
    const key = await make('ADMIN')
    expect(
      (await lab.ask('mutation ($id: ID!) { revokeApiKey(id: $id) { ... on ApiKeyPayload { secret apiKey { id lastUsedAt } } } }', { id: key.id }, key.bearer))
        .data,
    ).toMatchObject({
      revokeApiKey: { secret: null, apiKey: { id: key.id, lastUsedAt: expect.any(String) } },
    })
    expect((await lab.ask('{ viewer { name } }', {}, key.bearer)).errors?.[0]?.extensions?.['code']).toBe('UNAUTHENTICATED')
    const client = lab.socket({ authorization: `Bearer ${key.secret}` })
    const closed = new Promise<unknown>((resolve) => client.on('closed', resolve))
    client.subscribe({ query: '{ viewer { name } }' }, { next: () => undefined, error: () => undefined, complete: () => undefined })
    expect(await closed).toMatchObject({ code: 4403 })
  })

  it('never stand in the database as they are', async () => {
    const { secret } = await make('VIEWER')
    const rows = await lab.api.services.database.prisma.apiKey.findMany()
    expect(JSON.stringify(rows)).not.toContain(secret)
  })
})

describe('the WebSocket', () => {
  const over = (query: string, connectionParams?: Record<string, unknown>): Promise<unknown> =>
    new Promise((resolve) => {
      lab.socket(connectionParams).subscribe({ query }, { next: resolve, error: resolve, complete: () => undefined })
    })

  it('answers queries and mutations too, for the actor who connected', async () => {
    const { data } = await lab.ask<{ createApiKey: { secret: string } }>(
      'mutation { createApiKey(input: { name: "panel", role: VIEWER }) { ... on ApiKeyPayload { secret } } }',
    )
    const authorization = `Bearer ${data.createApiKey.secret}`
    expect(await over('{ viewer { name role } }', { authorization })).toEqual({ data: { viewer: { name: 'panel', role: 'VIEWER' } } })
    expect(await over('mutation { startSession(input: { title: "x" }) { __typename } }', { authorization })).toEqual({
      data: { startSession: { __typename: 'Forbidden' } },
    })
  })

  it('never takes the bearer of a key for the local user: the key may stand in the header, and the name in capitals', async () => {
    const { data } = await lab.ask<{ createApiKey: { secret: string } }>(
      'mutation { createApiKey(input: { name: "script", role: VIEWER }) { ... on ApiKeyPayload { secret } } }',
    )
    const authorization = `Bearer ${data.createApiKey.secret}`
    const viewer = { data: { viewer: { name: 'script', role: 'VIEWER' } } }
    expect(await over('{ viewer { name role } }', { Authorization: authorization })).toEqual(viewer)

    class WithHeader extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { headers: { authorization } })
      }
    }
    const client = createClient({ url: `${lab.api.url.replace('http', 'ws')}/graphql`, webSocketImpl: WithHeader, retryAttempts: 0 })
    try {
      expect((await client.iterate({ query: '{ viewer { name role } }' }).next()).value).toEqual(viewer)
    } finally {
      await client.dispose()
    }
  })

  it('has the limits that HTTP has, and hides as much', async () => {
    expect(JSON.stringify(await over(`{ ${Array.from({ length: 2_000 }, (_, index) => `a${index}: __typename`).join(' ')} }`))).toContain('tokens')
    expect(JSON.stringify(await over('{ sessions(first: 200) { edges { node { runs(first: 200) { edges { node { devices { id } } } } } } } }'))).toContain(
      'OPERATION_TOO_LARGE',
    )
    expect(JSON.stringify(await over('{ nothing }'))).toContain('GRAPHQL_VALIDATION_FAILED')
  })

  it('takes no more than a hundred operations at once', async () => {
    const client = lab.socket()
    const refused = await new Promise<unknown>((resolve) => {
      for (let index = 0; index <= 100; index += 1)
        client.subscribe(
          { query: `subscription S${index} { health(intervalMs: 60000) { state } }` },
          { next: () => undefined, error: resolve, complete: () => undefined },
        )
    })
    expect(JSON.stringify(refused)).toContain('TOO_MANY_OPERATIONS')
  })
})

describe('the port', () => {
  it('serves the playground to whoever accepts HTML, without anything from outside, and data to all others', async () => {
    const page = await get('/graphql?query=%7Blab%7Bname%7D%7D', { accept: 'text/html,*/*' })
    expect(page.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'content-encoding': 'gzip' })
    expect((await get('/graphql', { accept: 'text/html', 'if-none-match': String(page.headers['etag']) })).status).toBe(304)
    const data = await get('/graphql?query=%7Blab%7Bname%7D%7D', { accept: 'application/json', 'apollo-require-preflight': 'yes' })
    expect(JSON.parse(String(data.body))).toEqual({ data: { lab: { name: 'Kymograph' } } })
  })

  it('says which header is missing from what any page could send, and does nothing', async () => {
    const url = `${lab.api.url}/graphql`
    const post = { method: 'POST', body: JSON.stringify({ query: '{ lab { name } }' }) }
    for (const answer of [
      await fetch(`${url}?query=%7Blab%7Bname%7D%7D`),
      await fetch(url, post), // text/plain
      await fetch(url, { ...post, headers: { 'content-type': 'application/x-www-form-urlencoded' } }), // as curl -d has it
    ]) {
      const { data, errors } = (await answer.json()) as Answer
      expect([answer.status, data, errors?.[0]?.extensions]).toEqual([400, undefined, { code: 'BAD_REQUEST' }])
      expect(errors?.[0]?.message).toMatch(/content-type: application\/json, or add the header apollo-require-preflight: yes$/)
    }
    for (const headers of [{ 'content-type': 'application/json' }, { 'apollo-require-preflight': 'yes' }])
      expect(await (await fetch(`${url}?query=%7Blab%7Bname%7D%7D`, { headers })).json()).toEqual({ data: { lab: { name: 'Kymograph' } } })
  })

  it('stops nothing by GET, and says so', async () => {
    const { status, headers, body } = await get('/stop', { accept: 'text/html' })
    expect([status, headers['allow'], JSON.parse(String(body))]).toEqual([405, 'POST', { stopped: false, detail: 'nothing is stopped: send POST' }])
  })

  it('says where subscriptions are served when one is posted', async () => {
    const { errors } = await lab.ask('subscription { health { state } }')
    expect(errors?.[0]).toMatchObject({ message: expect.stringContaining('WebSocket'), extensions: { code: 'BAD_REQUEST' } })
  })

  it('says that it lives, that it is ready, and its figures', async () => {
    expect(String((await get('/healthz', {})).body)).toBe('ok\n')
    expect((await get('/readyz', {})).status).toBe(200)
    expect(String((await get('/metrics', {})).body)).toMatch(/^kymograph_stations_online 1$/m)
  })

  it('that is taken is told in one sentence', async () => {
    const { config } = lab.api.services
    const second = startApi({ ...config, port: Number(new URL(lab.api.url).port) }, { log: createLog('silent'), webFolder: lab.dataDir })
    await expect(second).rejects.toThrow(CannotStart)
    await expect(second).rejects.toThrow(/port \d+ on 127.0.0.1 is taken/)
  })
})
