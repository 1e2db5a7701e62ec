import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { globalId, parameterId } from '../../api/global-id.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Reading } from '../../core/reading.ts'
import { until } from '../until.ts'
import { METER, STAGE } from './fake-station.ts'
import { startTestLab, type TestLab } from './lab.ts'

const good = (value: boolean | number): Reading => ({ time: 1_700_000_000_000_000_000n, quality: 'GOOD', value })
const SHUTTER: ParameterSpec = { name: 'shutter', description: 'of the beam', kind: 'BOOLEAN', access: 'READ_WRITE' }
const EMISSION: ParameterSpec = { name: 'emission', description: 'of light', kind: 'BOOLEAN', access: 'READ_WRITE' }
const WAVELENGTH: ParameterSpec = { name: 'wavelength', description: 'measured', kind: 'FLOAT', access: 'READ_ONLY', unit: 'nm' }
const TARGET: ParameterSpec = { ...WAVELENGTH, name: 'wavelength_setpoint', access: 'READ_WRITE', minimum: 690, maximum: 1040 }

let lab: TestLab
const stage = globalId('Device', STAGE)
beforeAll(async () => {
  lab = await startTestLab()
  // The stage of the fake lab, with a laser in it.
  const { parameters, ...device } = lab.station.device(STAGE)
  lab.station.change({
    ...device,
    parameters: [
      ...parameters,
      { spec: SHUTTER, handle: 11, reading: good(true) },
      { spec: EMISSION, handle: 12, reading: { time: 5n, quality: 'BAD', reason: 'no answer' } },
      { spec: WAVELENGTH, handle: 13, reading: good(801.5) },
      { spec: TARGET, handle: 14, reading: good(800) },
    ],
    shutterParameter: 'shutter',
    emissionParameter: 'emission',
    wavelength: { parameter: 'wavelength', setpointParameter: 'wavelength_setpoint' },
    commands: [
      {
        name: 'optimise',
        description: 'finds the best pointing',
        arguments: [{ name: 'passes', kind: 'INTEGER', description: 'how often', required: true, minimum: 1, maximum: 5 }],
        result: 'FLOAT',
      },
    ],
    port: { address: 'sim://stage', path: 'serial:///dev/serial/by-id/usb-Stage-if00', serialNumber: 'A7', vendor: 'FTDI' },
  })
  await until(() => lab.api.services.stations.device({ id: STAGE, stationId: lab.station.stationId })?.shutterParameter === 'shutter')
})
afterAll(() => lab.close())
beforeEach(() => {
  lab.station.commands.length = 0
  lab.station.command = async ({ requestId, calls }) => ({
    requestId,
    state: 'DONE',
    results: calls.map(({ deviceId }) => ({ deviceId, readings: [] })),
    elapsedMs: 1,
  })
})

describe('a device', () => {
  it('tells of its shutter, emission and wavelength with their quality, and of its commands', async () => {
    const { data, errors } = await lab.ask(`{
      device(name: "stage") {
        shutter { open quality time parameter { name } } emission { on quality reason }
        wavelength { value { number unit } setpoint(unit: "um") { number unit } minimum maximum unit parameter { name } }
        commands { name description result arguments { name kind required minimum maximum } }
        motion { parameter { id name } }
        port { path serialNumber vendor }
      }
      other: device(name: "meter") { shutter { open } emission { on } wavelength { unit } commands { name } port { path serialNumber } }
    }`)
    expect(errors).toBeUndefined()
    expect(data).toEqual({
      device: {
        shutter: { open: true, quality: 'GOOD', time: '2023-11-14T22:13:20Z', parameter: { name: 'shutter' } },
        emission: { on: null, quality: 'BAD', reason: 'no answer' },
        wavelength: {
          value: { number: 801.5, unit: 'nm' },
          setpoint: { number: 0.8, unit: 'um' },
          minimum: 690,
          maximum: 1040,
          unit: 'nm',
          parameter: { name: 'wavelength' },
        },
        commands: [
          {
            name: 'optimise',
            description: 'finds the best pointing',
            result: 'FLOAT',
            arguments: [{ name: 'passes', kind: 'INTEGER', required: true, minimum: 1, maximum: 5 }],
          },
        ],
        motion: { parameter: { id: parameterId(STAGE, 'position'), name: 'position' } },
        port: { path: 'serial:///dev/serial/by-id/usb-Stage-if00', serialNumber: 'A7', vendor: 'FTDI' },
      },
      other: { shutter: null, emission: null, wavelength: null, commands: [], port: { path: 'sim://meter', serialNumber: null } },
    })
  })

  it('is commanded by setShutter, setEmission and setWavelength, each with its defaults', async () => {
    const { errors } = await lab.ask(
      `mutation ($id: ID!) {
        a: setShutter(deviceId: $id, open: false, options: { reason: "lunch" }) { __typename }
        b: setEmission(deviceId: $id, on: true) { __typename }
        c: setWavelength(deviceId: $id, value: 850) { __typename }
        d: setWavelength(deviceId: $id, value: 0.85, unit: "um", wait: false) { __typename }
      }`,
      { id: stage },
    )
    expect(errors).toBeUndefined()
    expect(lab.station.commands.map(({ calls }) => calls[0]?.call)).toEqual([
      { kind: 'setShutter', open: false },
      { kind: 'setEmission', on: true },
      { kind: 'setWavelength', value: 850, unit: 'nm', wait: true },
      { kind: 'setWavelength', value: 0.85, unit: 'um', wait: false },
    ])
    expect(lab.station.commands[0]?.cause).toMatchObject({ reason: 'lunch', actor: 'ada' })
  })

  it('does its own commands by invoke, and answers with their result', async () => {
    lab.station.command = async ({ requestId }) => ({
      requestId,
      state: 'DONE',
      elapsedMs: 3,
      results: [{ deviceId: STAGE, readings: [], value: 0.97 }],
    })
    const { data, errors } = await lab.ask(
      `mutation ($id: ID!) {
        invoke(deviceId: $id, command: "optimise", arguments: [{ name: "passes", value: { integer: 2 } }]) { ... on CommandPayload { state value } }
      }`,
      { id: stage },
    )
    expect(errors).toBeUndefined()
    expect(data).toEqual({ invoke: { state: 'DONE', value: 0.97 } })
    expect(lab.station.commands[0]?.calls).toEqual([{ deviceId: STAGE, call: { kind: 'invoke', command: 'optimise', arguments: { passes: 2 } } }])
    const twice = await lab.ask(
      `mutation ($id: ID!) {
        invoke(deviceId: $id, command: "optimise", arguments: [{ name: "passes", value: { integer: 2 } }, { name: "passes", value: { integer: 3 } }]) {
          __typename ... on InvalidValue { path }
        }
      }`,
      { id: stage },
    )
    expect(twice.data).toEqual({ invoke: { __typename: 'InvalidValue', path: ['arguments', 'passes'] } })
  })

  it('is found by what it can do also while nobody has told of it yet, as its driver says', async () => {
    const { prisma } = lab.api.services.database
    const port = await prisma.port.create({ data: { stationId: lab.station.stationId, address: 'sim://spare', kind: 'SERIAL' } })
    const common = { stationId: lab.station.stationId, portId: port.id, settings: {}, simulated: true }
    await prisma.device.create({ data: { ...common, name: 'spare', subAddress: '1', driverId: 'fake-stage' } })
    await prisma.device.create({ data: { ...common, name: 'stranger', subAddress: '2', driverId: 'gone' } })
    const names = async (capability: string): Promise<unknown> => {
      const { data } = await lab.ask<{ devices: { edges: { node: { name: string } }[] } }>(
        `{ devices(filter: { capabilities: [${capability}] }) { edges { node { name } } } }`,
      )
      return data.devices.edges.map(({ node }) => node.name)
    }
    expect(await names('MOVABLE')).toEqual(['spare', 'stage'])
    expect(await names('READABLE')).toEqual(['meter'])
    expect(await names('MOVABLE, READABLE')).toEqual([])
  })
})

describe('discovery', () => {
  const DISCOVER = `mutation ($station: ID!) { discoverDevices(stationId: $station) {
    ... on DiscoverPayload { found { port { id path kind serialNumber vendor devices { name } } identity address driver { id } known { name } settings { name value } } }
    ... on Problem { code message } } }`
  const station = (): { station: string } => ({ station: globalId('Station', lab.station.stationId) })

  it('names ports, what answers on them, how it would be registered, and who is registered there', async () => {
    lab.station.found = [
      { address: 'sim://meter', path: 'sim://meter', portKind: 'SERIAL', identity: 'Meter 1', driverId: 'fake-meter', deviceId: METER, settings: {} },
      {
        address: 'serial:///dev/serial/by-id/usb-New-if00',
        path: 'serial:///dev/serial/by-id/usb-New-if00',
        portKind: 'RS485',
        serialNumber: 'B2',
        vendor: 'FTDI',
        identity: 'ELL14 11400517',
        driverId: 'fake-stage',
        subAddress: '3',
        settings: { address: 'serial:///dev/serial/by-id/usb-New-if00', busAddress: 3 },
      },
      { address: 'serial:///dev/ttyS0', path: 'serial:///dev/ttyS0', portKind: 'SERIAL' },
    ]
    const { data, errors } = await lab.ask<{ discoverDevices: { found: { port: { id: string } }[] } }>(DISCOVER, station())
    expect(errors).toBeUndefined()
    expect(data.discoverDevices.found).toMatchObject([
      { port: { path: 'sim://meter', devices: [{ name: 'meter' }] }, identity: 'Meter 1', known: { name: 'meter' }, driver: { id: 'fake-meter' } },
      {
        port: { path: 'serial:///dev/serial/by-id/usb-New-if00', kind: 'RS485', serialNumber: 'B2', vendor: 'FTDI', devices: [] },
        identity: 'ELL14 11400517',
        address: '3',
        driver: { id: 'fake-stage' },
        known: null,
        settings: [
          { name: 'address', value: 'serial:///dev/serial/by-id/usb-New-if00' },
          { name: 'busAddress', value: 3 },
        ],
      },
      { port: { path: 'serial:///dev/ttyS0', kind: 'SERIAL' }, identity: null, driver: null, known: null, settings: [] },
    ])
    const [registered, found, bare] = data.discoverDevices.found.map(({ port }) => port.id)
    const { data: nodes } = await lab.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', { ids: [registered, found, bare] })
    expect(nodes).toEqual({ nodes: [{ __typename: 'Port', id: registered }, null, null] })
    expect(new Set([registered, found, bare]).size).toBe(3)
  })

  it('of a station that there is not, or that is away, is a problem', async () => {
    const other = await lab.ask(DISCOVER, { station: globalId('Station', randomUUID()) })
    expect(other.data).toMatchObject({ discoverDevices: { code: 'NOT_FOUND' } })
  })
})

describe('an emergency stop', () => {
  it('with a wrong id among others stops the known ones and says which it does not know', async () => {
    const known = globalId('Station', lab.station.stationId)
    const absent = globalId('Station', randomUUID())
    const ids = [known, absent, 'nonsense', globalId('Device', STAGE)]
    const { data, errors } = await lab.ask(
      'mutation ($ids: [ID!]) { emergencyStop(stationIds: $ids) { emergencyStop { active } unknown stations { acknowledged station { name } } } }',
      { ids },
    )
    expect(errors).toBeUndefined()
    expect(data).toEqual({
      emergencyStop: { emergencyStop: { active: true }, unknown: ids.slice(1), stations: [{ acknowledged: true, station: { name: 'fake' } }] },
    })
    expect(lab.station.stops).toHaveLength(1)
  })

  it('of a station that is registered and away says that it did not acknowledge', async () => {
    const { prisma } = lab.api.services.database
    const { id } = await prisma.station.create({ data: { name: 'silent', host: 'elsewhere' } })
    const { data } = await lab.ask('mutation ($ids: [ID!]) { emergencyStop(stationIds: $ids) { unknown stations { acknowledged station { name } } } }', {
      ids: [globalId('Station', id)],
    })
    expect(data).toEqual({ emergencyStop: { unknown: [], stations: [{ acknowledged: false, station: { name: 'silent' } }] } })
  })
})

it('a device that a run still has is removed, and the answer says that its station lets go of it later', async () => {
  lab.station.postponed = [METER]
  const { data } = await lab.ask('mutation ($id: ID!) { removeDevice(id: $id) { __typename ... on DeviceBusy { message device { name removedAt } } } }', {
    id: globalId('Device', METER),
  })
  expect(data).toMatchObject({ removeDevice: { __typename: 'DeviceBusy', device: { name: 'meter', removedAt: expect.any(String) } } })
})
