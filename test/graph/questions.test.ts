import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { impactOf } from '../../graph/impact.ts'
import type { GraphStore } from '../../graph/store.ts'
import { neighbourhoodOf, pathBetween } from '../../graph/ways.ts'
import { project } from './projecting.ts'
import { IDS, smallLab } from './registry.ts'
import { STORES, type TestStore } from './stores.ts'

describe.each(STORES)('the graph on $name', ({ skipped, open }) => {
  if (skipped) return it.skip('answers', () => undefined)
  let opened: TestStore
  let store: GraphStore
  beforeAll(async () => {
    opened = await open()
    store = opened.store
    await project(smallLab(), store)
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  describe('impact', () => {
    it('of a port names the devices, parameters, sessions and queued runs that hang on it', async () => {
      expect(await impactOf(store, 'Port', IDS.serial)).toEqual({
        name: 'serial:///dev/ttyUSB0',
        deviceIds: [IDS.x, IDS.y],
        parameterIds: [`${IDS.x}/position`, `${IDS.y}/position`],
        runIds: [IDS.queued],
        sessionIds: [IDS.beam],
        explanation: [
          '2 devices hang on the port serial:///dev/ttyUSB0: x, y',
          '2 parameters can then neither be read nor set',
          'run 3 of the session “Beam” waits for x as axis',
        ],
      })
    })

    it('of a port leaves out removed devices and runs that have ended', async () => {
      const impact = await impactOf(store, 'Port', IDS.usb)
      expect(impact).toMatchObject({ deviceIds: [IDS.meter], runIds: [IDS.running, IDS.queued], sessionIds: [IDS.beam] })
      expect(impact?.explanation).toEqual([
        "1 device hangs on the port usb:///it's: meter",
        '1 parameter can then neither be read nor set',
        'run 2 of the session “Beam” is running and uses meter as detector, meter as monitor',
        'run 3 of the session “Beam” waits for meter as detector',
      ])
    })

    it('of a port on which nothing hangs says so', async () => {
      expect(await impactOf(store, 'Port', IDS.empty)).toMatchObject({
        deviceIds: [],
        runIds: [],
        explanation: ['no device hangs on the port tcp://10.0.0.1:502', 'no run waits for it or is under way on it'],
      })
    })

    it('of a station, a device and a parameter follows the same way', async () => {
      expect(await impactOf(store, 'Station', IDS.here)).toMatchObject({ deviceIds: [IDS.meter, IDS.x, IDS.y], runIds: [IDS.running, IDS.queued] })
      expect(await impactOf(store, 'Device', IDS.x)).toMatchObject({ deviceIds: [IDS.x], parameterIds: [`${IDS.x}/position`], runIds: [IDS.queued] })
      expect(await impactOf(store, 'Device', IDS.y)).toMatchObject({ runIds: [], sessionIds: [] })
      const parameter = await impactOf(store, 'Parameter', `${IDS.x}/position`)
      expect(parameter).toMatchObject({ deviceIds: [IDS.x], parameterIds: [`${IDS.x}/position`], runIds: [IDS.queued] })
      expect(parameter?.explanation[0]).toBe('position belongs to x')
    })

    it('of what is not there is nothing', async () => {
      expect(await impactOf(store, 'Port', IDS.x)).toBeUndefined()
    })
  })

  describe('a way', () => {
    const way = async (from: Parameters<typeof pathBetween>[1], to: typeof from): Promise<string | undefined> => {
      const hops = await pathBetween(store, from, to)
      return hops?.map(({ from: start, relation, to: end }) => `${start.name} ${relation} ${end.name}`).join(', ')
    }

    it('leads from a device to its station', async () => {
      expect(await way({ kind: 'Device', id: IDS.x }, { kind: 'Station', id: IDS.here })).toBe(
        'x ON_PORT serial:///dev/ttyUSB0, serial:///dev/ttyUSB0 PORT_OF here',
      )
    })

    it('leads from a session to a parameter', async () => {
      expect(await way({ kind: 'Session', id: IDS.beam }, { kind: 'Parameter', id: `${IDS.x}/position` })).toBe(
        'Beam HAS_RUN run 3, run 3 USES x, x HAS_PARAMETER position',
      )
    })

    it('leads through no capability, and nowhere where there is none', async () => {
      expect(await way({ kind: 'Device', id: IDS.x }, { kind: 'Device', id: IDS.y })).toBe(
        'x ON_PORT serial:///dev/ttyUSB0, serial:///dev/ttyUSB0 HAS_DEVICE y',
      )
      expect(await way({ kind: 'Port', id: IDS.empty }, { kind: 'Device', id: IDS.y })).toBeUndefined()
      expect(await way({ kind: 'Port', id: IDS.x }, { kind: 'Device', id: IDS.y })).toBeUndefined()
      expect(await way({ kind: 'Device', id: IDS.y }, { kind: 'Device', id: IDS.y })).toBe('')
    })
  })

  it('shows a neighbourhood by hops', async () => {
    const names = async (hops: number): Promise<string[] | undefined> => {
      const view = await neighbourhoodOf(store, { kind: 'Device', id: IDS.x }, hops)
      return view?.nodes.map(({ name }) => name).sort()
    }
    expect(await names(1)).toEqual(['MOVABLE', 'PARAMETERIZED', 'SETTABLE', 'position', 'run 3', 'serial:///dev/ttyUSB0', 'x'])
    expect(await names(2)).toEqual(['Beam', 'MOVABLE', 'PARAMETERIZED', 'SETTABLE', 'here', 'meter', 'position', 'run 3', 'serial:///dev/ttyUSB0', 'x', 'y'])
    const view = await neighbourhoodOf(store, { kind: 'Device', id: IDS.x }, 1)
    expect(view?.edges.map(({ from, relation, to }) => `${from.name} ${relation} ${to.name}`).sort()).toEqual([
      'run 3 USES x',
      'serial:///dev/ttyUSB0 HAS_DEVICE x',
      'x CAN MOVABLE',
      'x CAN PARAMETERIZED',
      'x CAN SETTABLE',
      'x HAS_PARAMETER position',
    ])
  })
})
