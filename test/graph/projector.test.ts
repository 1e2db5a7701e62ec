import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SET_NODES } from '../../graph/queries.ts'
import type { GraphStore } from '../../graph/store.ts'
import { until } from '../until.ts'
import { picture, project, projectorOf } from './projecting.ts'
import { IDS, type Registry, smallLab } from './registry.ts'
import { openTestLadybug, STORES, type TestStore } from './stores.ts'

const never = new AbortController().signal

describe.each(STORES)('the projector on $name', ({ skipped, open }) => {
  if (skipped) return it.skip('runs', () => undefined)
  let opened: TestStore
  let store: GraphStore
  let registry: Registry
  beforeAll(async () => {
    opened = await open()
    store = opened.store
  })
  afterAll(() => opened[Symbol.asyncDispose]())
  beforeEach(() => {
    registry = smallLab() // of another lab each time: the graph that is there is not of it
  })

  it('makes a graph of what is there', async () => {
    await project(registry, store)
    const { nodes, relations } = await picture(store)
    expect(nodes.filter((node) => !node.includes('"Capability"'))).toHaveLength(2 + 3 + 4 + 3 + 2 + 3) // old, being removed, has no parameter
    expect(relations.filter((relation) => relation.startsWith('USES:'))).toHaveLength(5)
    expect(relations).toContain(`USES:${IDS.done}:${IDS.old}:detector`)
    expect(relations.filter((relation) => relation.includes(IDS.old) && !relation.startsWith('USES:'))).toEqual([])
    expect(nodes.find((node) => node.includes(IDS.old))).toContain('["removedAt",1763000000123]')
    expect(nodes.find((node) => node.includes(`["id","${IDS.x}"]`))).toContain('["label","Strahl é"]')
  })

  it('follows each change, and equals a graph made anew', async () => {
    await project(registry, store)
    const { devices, ports, runs, uses, parameters, stations, sessions } = registry.rows_
    const [x, y] = devices
    if (x === undefined || y === undefined || runs[0] === undefined) throw new Error('the lab has devices and runs')
    x.portId = IDS.usb
    x.label = null
    y.removedAt = 1_763_000_009_000
    runs[0].state = 'RUNNING'
    uses.splice(0, 1)
    parameters.push({ deviceId: IDS.x, name: 'velocity', kind: 'FLOAT', access: 'READ_WRITE', unit: 'mm/s' })
    ports.splice(2, 1)
    stations.splice(1, 1)
    sessions.push({ id: '00000000-0000-7000-8000-000000000000', title: 'new', operator: 'eve', state: 'OPEN', startedAt: 1, endedAt: null })
    for (const id of [IDS.x, IDS.y]) registry.note('device', id)
    registry.note('run', IDS.queued)
    registry.note('port', IDS.empty)
    registry.note('station', IDS.there)
    registry.note('session', '00000000-0000-7000-8000-000000000000')
    await project(registry, store)
    expect(registry.changes.size).toBe(0)

    await using anew = await openTestLadybug()
    registry.believed = undefined
    await project(registry, anew.store)
    expect(await picture(store)).toEqual(await picture(anew.store))
  })

  it('does what was done already once more, and changes nothing', async () => {
    await project(registry, store)
    const before = await picture(store)
    const dying: Registry = Object.assign(smallLab(), { rows_: registry.rows_, believed: registry.believed })
    dying.note('device', IDS.x)
    dying.note('run', IDS.queued)
    dying.settle = () => Promise.reject(new Error('killed before the database knew'))
    await expect(projectorOf(dying, store).step(never)).rejects.toThrow('killed')
    Reflect.deleteProperty(dying, 'settle')
    const sequence = dying.believed?.sequence ?? 0
    await project(dying, store)
    expect(dying.believed).toEqual({ graphId: registry.believed?.graphId, sequence: sequence + 2 }) // went on where it was, and made nothing anew
    expect(await picture(store)).toEqual(before)
  })

  it('writes nothing that has become old while it slept', async () => {
    await project(registry, store)
    const [x] = registry.rows_.devices
    if (x === undefined) throw new Error('the lab has devices')
    x.name = 'first'
    registry.note('device', IDS.x)
    const read = registry.rows.bind(registry)
    const sleeper: Registry = Object.create(registry)
    sleeper.rows = async (ids) => {
      const old = await read(ids)
      x.name = 'second'
      registry.note('device', IDS.x)
      await project(registry, store) // another projector, while this one sleeps over what it has read
      return old
    }
    expect(await projectorOf(sleeper, store).step(never)).toBe('worked')
    expect((await picture(store)).nodes.find((node) => node.includes(`["id","${IDS.x}"]`))).toContain('["name","second"]')
    expect(registry.changes.size).toBe(0)
  })

  it('makes the graph anew when it is not of this state of this database', async () => {
    await project(registry, store)
    await store.write([{ text: SET_NODES.Station, parameters: { rows: [{ id: 'foreign', kind: 'Station', name: 'foreign', host: '' }] } }])
    expect((await picture(store)).nodes.some((node) => node.includes('foreign'))).toBe(true)
    registry.believed = { graphId: registry.believed?.graphId ?? '', sequence: 1_000 } // the store came back from a backup
    await project(registry, store)
    expect((await picture(store)).nodes.some((node) => node.includes('foreign'))).toBe(false)
  })

  it('leaves a rebuild to the one who is at it, and takes over one that nobody is at', async () => {
    await project(registry, store)
    const before = await picture(store)
    registry.believed = undefined
    const dying: Registry = Object.create(registry)
    dying.page = () => Promise.reject(new Error('killed in the middle'))
    await expect(projectorOf(dying, store).step(never)).rejects.toThrow('killed')

    const patient = projectorOf(registry, store)
    const successor = projectorOf(registry, store, { abandonedAfterMs: 0 })
    expect(await patient.step(never)).toBe('waiting')
    expect(await successor.step(never)).toBe('waiting') // it has only just looked
    expect(await patient.step(never)).toBe('waiting')
    await until(async () => (await successor.step(never)) === 'idle')
    expect(await patient.step(never)).toBe('idle')
    expect(await picture(store)).toEqual(before)
  })
})
