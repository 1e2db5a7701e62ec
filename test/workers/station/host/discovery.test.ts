import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DeviceOffline, InvalidValue } from '../../../../core/errors.ts'
import { bookPath, parseAddress, resolveAddress } from '../../../../drivers/address.ts'
import type { Driver, Probed } from '../../../../drivers/driver.ts'
import { niComedi } from '../../../../drivers/ni-comedi/driver.ts'
import { simulation as simulatedBoard } from '../../../../drivers/ni-comedi/simulator.ts'
import { pvcamCamera } from '../../../../drivers/pvcam-camera/driver.ts'
import { hostPorts } from '../../../../drivers/transport/host-ports.ts'
import { systemClock } from '../../../../workers/station/clock.ts'
import { discoverPorts } from '../../../../workers/station/host/discovery.ts'
import { PortPool } from '../../../../workers/station/host/port-pool.ts'
import { until } from '../../../until.ts'
import { type HostBench, never, openHostBench, record } from './bench.ts'

/** What is plugged in, by the device file; what was asked, and by whom. */
let plugged: Map<string, { readonly model: string; readonly addresses: readonly string[] }>
let asked: string[]
let openNow: Set<string>
let bench: HostBench
let dev: string
let lab: string | undefined

/** A model on serial lines that finds its like at each address of the line. `address` is required and `unit` has a default. */
function busDriver(model: string, more: Partial<Driver> = {}): Driver {
  const locate: Driver['locate'] = ({ address, unit }) => {
    const { kind } = parseAddress(address)
    if (kind !== 'serial' && kind !== 'sim') throw new InvalidValue(`a ${kind} address`, ['address'])
    return { address: String(address), subAddress: String(unit ?? '1') }
  }
  return {
    id: `test-${model}`,
    vendor: 'Test',
    model,
    version: '1.0.0',
    portKind: 'RS485',
    settings: [],
    capabilities: ['PARAMETERIZED'],
    locate,
    openPort: async ({ address }, context) => {
      const place = await context.resolve(String(address))
      const path = 'path' in place ? place.path : ''
      if (!plugged.has(path)) throw new DeviceOffline(`${path} is not there`, {})
      openNow.add(path)
      return { lost: never, [Symbol.asyncDispose]: async () => void openNow.delete(path) }
    },
    openDevice: async () => ({
      identity: `${model} of the station`,
      parameters: [],
      read: async () => new Map(),
      [Symbol.asyncDispose]: async () => undefined,
    }),
    probe: async (address, context): Promise<readonly Probed[]> => {
      const place = await context.resolve(address)
      const path = 'path' in place ? place.path : ''
      asked.push(`${model} at ${path.split('/').at(-1)}`)
      if (openNow.has(path)) throw new Error('two owners of one line')
      const there = plugged.get(path)
      if (there?.model !== model) return []
      return there.addresses.map((unit) => ({ identity: `${model} ${unit}`, settings: { address, unit } }))
    },
    ...more,
  }
}

beforeEach(() => {
  plugged = new Map()
  asked = []
  openNow = new Set()
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  if (lab !== undefined) await rm(lab, { recursive: true })
  lab = undefined
})

/** A station whose /dev is empty so far. */
async function open(...drivers: readonly Driver[]): Promise<void> {
  bench = await openHostBench(drivers, [])
  dev = join(bench.folder, 'dev')
  await mkdir(join(dev, 'serial/by-id'), { recursive: true })
}

async function plug(name: string, model: string, addresses: readonly string[], link?: string): Promise<void> {
  await writeFile(join(dev, name), '')
  if (link !== undefined) await symlink(join(dev, name), join(dev, 'serial/by-id', link))
  plugged.set(join(dev, name), { model, addresses })
  if (link !== undefined) plugged.set(join(dev, 'serial/by-id', link), { model, addresses })
}

test('each port is listed by its stable name, with what answers at each of its addresses; one model after the other, until one knows it', async () => {
  await open(busDriver('apple'), busDriver('pear'), busDriver('plum'))
  await plug('ttyUSB0', 'pear', ['2', '5'], 'usb-Pear-if00')
  await plug('ttyUSB1', 'nothing', [])
  const found = await bench.host.discover(never)
  const stable = `serial://${dev}/serial/by-id/usb-Pear-if00`
  expect(found).toEqual([
    { address: stable, path: stable, portKind: 'RS485', identity: 'pear 2', driverId: 'test-pear', subAddress: '2', settings: { address: stable, unit: '2' } },
    { address: stable, path: stable, portKind: 'RS485', identity: 'pear 5', driverId: 'test-pear', subAddress: '5', settings: { address: stable, unit: '5' } },
    { address: `serial://${dev}/ttyUSB1`, path: `serial://${dev}/ttyUSB1`, portKind: 'SERIAL' },
  ])
  const ofPort = (name: string): readonly string[] => asked.filter((line) => line.endsWith(name))
  expect(ofPort('usb-Pear-if00')).toEqual(['apple at usb-Pear-if00', 'pear at usb-Pear-if00'])
  expect(ofPort('ttyUSB1')).toEqual(['apple at ttyUSB1', 'pear at ttyUSB1', 'plum at ttyUSB1'])
})

test('an open port is not touched: its devices are named as the station knows them, by the stable name of the port', async () => {
  await open(busDriver('pear'))
  await plug('ttyUSB0', 'pear', ['1', '2', '3'], 'usb-Pear-if00')
  bench.registry = [
    record('one', 'test-pear', { address: `serial://${dev}/ttyUSB0`, unit: '1' }),
    record('two', 'test-pear', { address: `serial://${dev}/ttyUSB0`, unit: '2' }),
  ]
  await bench.host.syncDevices()
  await bench.connected('one', 'two')
  const found = await bench.host.discover(never)
  expect(found).toMatchObject([
    { deviceId: 'one', subAddress: '1', identity: 'pear of the station', path: `serial://${dev}/serial/by-id/usb-Pear-if00` },
    { deviceId: 'two', subAddress: '2', address: `serial://${dev}/ttyUSB0` },
  ])
  expect(found).toHaveLength(2)
  expect(asked).toEqual([])
  expect(bench.host.device('one').state.port).toMatchObject({ address: `serial://${dev}/ttyUSB0`, path: `serial://${dev}/serial/by-id/usb-Pear-if00` })
})

test('a registered port that nobody has open is asked, and who answers is matched with who is registered', async () => {
  await open(busDriver('apple'), busDriver('pear'))
  await plug('ttyUSB0', 'pear', ['2', '3'], 'usb-Pear-if00')
  const at = (unit: string) => ({ address: `serial://${dev}/ttyUSB0`, unit })
  bench.registry = [record('two', 'test-pear', at('2')), record('absent', 'test-pear', at('9'))]
  await bench.host.syncDevices()
  await bench.connected('two', 'absent')
  for (const id of ['two', 'absent']) await bench.ask(id, { kind: 'disconnect' })
  const found = await bench.host.discover(never)
  expect(found.map(({ subAddress, identity, deviceId }) => [subAddress, identity, deviceId])).toEqual([
    ['2', 'pear 2', 'two'],
    ['3', 'pear 3', undefined],
    ['9', undefined, 'absent'],
  ])
  expect(asked).toEqual(['pear at ttyUSB0']) // its own driver first
})

test("the simulated lab's instruments are ports too, and a driver is only asked about addresses of its kind", async () => {
  const tcpOnly = busDriver('tcp', {
    locate: ({ address }) => {
      if (parseAddress(address).kind !== 'tcp') throw new InvalidValue('needs a tcp address', ['address'])
      return { address: String(address) }
    },
  })
  lab = await mkdtemp(join(tmpdir(), 'lab-'))
  bench = await openHostBench([tcpOnly, busDriver('pear')], [], lab)
  const tty = join(bench.folder, 'pear.tty')
  plugged.set(tty, { model: 'pear', addresses: ['4'] })
  await writeFile(tty, '')
  await writeFile(bookPath(lab, 'pear-line'), JSON.stringify({ kind: 'serial', path: tty }))
  await writeFile(bookPath(lab, 'plc'), JSON.stringify({ kind: 'tcp', host: '127.0.0.1', port: 9 }))
  const found = await bench.host.discover(never)
  expect(found).toMatchObject([
    { address: 'sim://pear-line', path: 'sim://pear-line', identity: 'pear 4', settings: { address: 'sim://pear-line' } },
    { address: 'sim://plc', portKind: 'TCP' },
  ])
  expect(asked).toEqual(['pear at pear.tty', 'tcp at '])
})

test('a simulated library is asked about by every driver that loads one, and told by whose it is', async () => {
  lab = await mkdtemp(join(tmpdir(), 'lab-'))
  bench = await openHostBench([pvcamCamera, niComedi], [], lab)
  await using board = await simulatedBoard.start({ folder: bench.folder, name: 'daq', seed: 1 })
  await writeFile(bookPath(lab, 'daq'), JSON.stringify(board.entry))
  expect(await bench.host.discover(never)).toMatchObject([
    {
      address: 'sim://daq',
      portKind: 'NATIVE',
      driverId: 'ni-comedi',
      identity: expect.stringContaining('pci-mio-16xe-10'),
      settings: { address: 'sim://daq' },
    },
  ])
})

test('what was found by the deadline is the answer, whoever hangs; ports are asked side by side', async () => {
  await open(busDriver('pear'))
  const together = new Set<string>()
  let most = 0
  const hangs = busDriver('hangs', {
    probe: async (address, _, signal) => {
      together.add(address)
      most = Math.max(most, together.size)
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
      return []
    },
  })
  for (const name of ['ttyUSB0', 'ttyUSB1', 'ttyUSB2']) await plug(name, 'pear', ['1'])
  const discovery = {
    drivers: [busDriver('pear'), hangs],
    devices: [],
    hostPorts: hostPorts({ labFolder: undefined, devFolder: dev, listSerial: async () => [] }),
    pool: new PortPool(),
    context: { clock: systemClock(), resolve: (address: string) => resolveAddress(address, undefined), log: () => undefined, workFolder: dev },
    log: () => undefined,
  }
  plugged.delete(join(dev, 'ttyUSB1'))
  plugged.delete(join(dev, 'ttyUSB2'))
  const found = await discoverPorts(discovery, never, 1500)
  expect(found.map(({ address, identity }) => [address.split('/').at(-1), identity])).toEqual([
    ['ttyUSB0', 'pear 1'],
    ['ttyUSB1', undefined],
    ['ttyUSB2', undefined],
  ])
  expect(most).toBe(2)
  const nobody = new AbortController()
  nobody.abort(new Error('the caller went away'))
  await expect(discoverPorts(discovery, nobody.signal, 300)).rejects.toThrow('the caller went away')
})

test('a driver that fails or hangs costs its own time only; a device that wants to connect meanwhile waits for the end of the question', async () => {
  let release = (): void => undefined
  const slow = busDriver('slow', {
    portKind: 'SERIAL',
    probe: async () => {
      asked.push('slow')
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return []
    },
  })
  const broken = busDriver('broken', { probe: () => Promise.reject(new Error('a fault of its own')) })
  await open(broken, slow, busDriver('pear'))
  await plug('ttyUSB0', 'pear', ['1'])
  const address = `serial://${dev}/ttyUSB0`
  bench.registry = [record('one', 'test-broken', { address })]
  plugged.delete(join(dev, 'ttyUSB0'))
  await bench.host.syncDevices()
  await until(() => bench.host.device('one').state.connection === 'FAILED')
  await bench.ask('one', { kind: 'disconnect' })
  plugged.set(join(dev, 'ttyUSB0'), { model: 'pear', addresses: ['1'] })
  const discovering = bench.host.discover(never)
  await until(() => asked.includes('slow'))
  const connecting = bench.ask('one', { kind: 'connect' })
  expect(openNow.size).toBe(0)
  release()
  expect(await discovering).toMatchObject([{ identity: 'pear 1', driverId: 'test-pear' }, { deviceId: 'one' }])
  await connecting
  expect(openNow.size).toBe(1)
})
