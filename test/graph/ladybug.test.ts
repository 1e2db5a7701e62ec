import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectLadybug } from '../../graph/ladybug/client.ts'
import { openLadybug } from '../../graph/ladybug/engine.ts'
import { serveGraph } from '../../graph/ladybug/server.ts'
import { graphPlace, graphSocketPath } from '../../graph/open.ts'
import { COUNT, SET_NODES } from '../../graph/queries.ts'
import { type GraphStore, GraphUnavailable, type Statement } from '../../graph/store.ts'

let folder: string
let said: string[]
const say = (line: string): void => void said.push(line)
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-graph-'))
  said = []
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function stations(...ids: readonly string[]): Statement {
  return { text: SET_NODES.Station, parameters: { rows: ids.map((id) => ({ id, kind: 'Station', name: id, host: 'h' })) } }
}
async function count(store: GraphStore): Promise<number | undefined> {
  return (await store.read<{ count: number }>(COUNT.Station))[0]?.count
}

describe('the embedded store', () => {
  it('keeps what was written', async () => {
    {
      await using store = await openLadybug(folder, say)
      expect(await store.write([stations('a', 'b')])).toBe(true)
    }
    await using store = await openLadybug(folder, say)
    expect(await count(store)).toBe(2)
    expect(said).toEqual([])
  })

  it('writes all of a transaction or nothing', async () => {
    await using store = await openLadybug(folder, say)
    const nothing: Statement = { text: 'MATCH (n:Station {id: $id}) RETURN n.id AS id', parameters: { id: 'nobody' }, mustMatch: true }
    expect(await store.write([stations('a'), nothing])).toBe(false)
    await expect(store.write([stations('a'), { text: 'MATCH (n:Nonsense) DELETE n', parameters: {} }])).rejects.toThrow('Nonsense')
    expect(await count(store)).toBe(0)
    expect(await store.write([stations('a')])).toBe(true)
    expect(await count(store)).toBe(1)
  })

  it('takes many questions and many writers at once', async () => {
    await using store = await openLadybug(folder, say)
    const asked = Array.from({ length: 200 }, (_, at) => (at % 4 === 0 ? store.write([stations(`s${at}`)]) : count(store)))
    await Promise.all(asked)
    expect(await count(store)).toBe(50)
  })

  it('passes over empty lists', async () => {
    await using store = await openLadybug(folder, say)
    expect(await store.write([stations()])).toBe(true)
    expect(await store.read('UNWIND $ids AS id MATCH (n:Station {id: id}) RETURN n.id AS id', { ids: [] })).toEqual([])
  })

  it('makes a file anew that is none', async () => {
    await writeFile(path.join(folder, 'graph.lbug'), Buffer.alloc(10_000, 7))
    await using store = await openLadybug(folder, say)
    expect(await count(store)).toBe(0)
    expect(said.join()).toContain('cannot be opened and is made anew')
  })

  it('makes a file anew that has ended its process twice', async () => {
    await using first = await openLadybug(path.join(folder, 'one'), say)
    await first.write([stations('a')])
    await mkdir(path.join(folder, 'two'))
    await writeFile(path.join(folder, 'two', 'opening'), '2')
    await writeFile(path.join(folder, 'two', 'graph.lbug'), 'a mine')
    await using second = await openLadybug(path.join(folder, 'two'), say)
    expect(await count(second)).toBe(0)
    expect(said).toEqual([expect.stringContaining('ended its process 2 times')])
    expect(existsSync(path.join(folder, 'two', 'opening'))).toBe(false)
  })
})

describe('its client', () => {
  it('says that the store is away, and goes on when it is back', async () => {
    const socketPath = path.join(folder, 'graph.sock')
    await using client = connectLadybug(socketPath)
    await expect(count(client)).rejects.toThrow(GraphUnavailable)
    await using store = await openLadybug(path.join(folder, 'graph'), say)
    for (let life = 1; life <= 2; life += 1) {
      const serving = await serveGraph(store, socketPath)
      expect(await client.write([stations(`s${life}`)])).toBe(true)
      expect(await count(client)).toBe(life)
      await serving[Symbol.asyncDispose]()
      await expect(count(client)).rejects.toThrow(/away/)
    }
  })

  it('passes on what the store refuses, and large rows', async () => {
    const socketPath = path.join(folder, 'graph.sock')
    await using store = await openLadybug(path.join(folder, 'graph'), say)
    await using _serving = await serveGraph(store, socketPath)
    await using client = connectLadybug(socketPath)
    await expect(client.read('MATCH (n:Nonsense) RETURN n.id AS id')).rejects.toThrow(/refused: .*Nonsense/)
    const long = 'é'.repeat(200_000)
    await client.write([stations(long)])
    expect(await client.read('MATCH (n:Station) RETURN n.id AS id')).toEqual([{ id: long }])
  })
})

describe('where the graph is', () => {
  it('is the server that was named, or the socket of the data folder', () => {
    const none = { url: undefined, user: undefined, password: undefined }
    expect(graphPlace('/data', none)).toEqual({ socketPath: '/data/run/graph.sock' })
    expect(graphSocketPath(`/${'deep/'.repeat(30)}`).length).toBeLessThan(100)
    expect(graphPlace('/data', { ...none, url: 'bolt://h:7687' })).toEqual({ neo4j: { url: 'bolt://h:7687', user: 'neo4j', password: '' } })
  })
})
