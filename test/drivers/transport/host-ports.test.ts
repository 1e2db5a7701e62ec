import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bookPath } from '../../../drivers/address.ts'
import { type HostPorts, hostPorts } from '../../../drivers/transport/host-ports.ts'

let folder: string
let ports: HostPorts

/** /dev of a host with two USB adapters, one with a stable link, a mainboard port without a chip and one with, and a USBTMC instrument. */
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'ports-')))
  const dev = join(folder, 'dev')
  await mkdir(join(dev, 'serial/by-id'), { recursive: true })
  for (const name of ['ttyUSB0', 'ttyUSB1', 'ttyS0', 'ttyS4', 'usbtmc0', 'comedi0', 'comedi0_subd1', 'tty1', 'null']) await writeFile(join(dev, name), '')
  await symlink('../../ttyUSB1', join(dev, 'serial/by-id/usb-Prolific_Serial-if00-port0'))
  await symlink('../../ttyUSB7', join(dev, 'serial/by-id/usb-Gone-if00'))
  for (const [name, type] of [
    ['ttyS0', '4\n'],
    ['ttyS4', '0\n'],
  ] as const) {
    await mkdir(join(folder, 'sys/class/tty', name), { recursive: true })
    await writeFile(join(folder, 'sys/class/tty', name, 'type'), type)
  }
  const lab = join(folder, 'lab')
  await mkdir(lab)
  await writeFile(bookPath(lab, 'esp300'), JSON.stringify({ kind: 'serial', path: join(lab, 'esp300.tty') }))
  await writeFile(bookPath(lab, 'saw'), JSON.stringify({ kind: 'tcp', host: '127.0.0.1', port: 5020 }))
  await writeFile(join(lab, 'esp300.log'), '')
  ports = hostPorts({
    labFolder: lab,
    devFolder: dev,
    sysFolder: join(folder, 'sys'),
    listSerial: async () => [{ path: join(dev, 'ttyUSB1'), serialNumber: 'A1', manufacturer: 'Prolific' }, { path: join(dev, 'ttyUSB0') }],
  })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('ports are listed by their stable name where they have one, with what USB says of them', async () => {
  const dev = join(folder, 'dev')
  const present = await ports.present()
  expect(present.map(({ address }) => address).sort()).toEqual(
    [
      `serial://${dev}/serial/by-id/usb-Prolific_Serial-if00-port0`,
      `serial://${dev}/ttyS0`,
      `serial://${dev}/ttyUSB0`,
      'sim://esp300',
      'sim://saw',
      `usbtmc://${dev}/usbtmc0`,
      `comedi://${dev}/comedi0`,
    ].sort(),
  )
  expect(present.find(({ address }) => address.includes('by-id'))).toMatchObject({ serialNumber: 'A1', vendor: 'Prolific' })
})

test('an address is described by its stable name, whichever name it was given by', async () => {
  const dev = join(folder, 'dev')
  const stable = `serial://${dev}/serial/by-id/usb-Prolific_Serial-if00-port0`
  const address = `serial://${dev}/ttyUSB1`
  expect(await ports.describe(address)).toEqual({ address, path: stable, serialNumber: 'A1', vendor: 'Prolific' })
  expect(await ports.describe(stable)).toMatchObject({ path: stable })
  expect(await ports.describe(`serial://${dev}/ttyUSB0`)).toEqual({ address: `serial://${dev}/ttyUSB0`, path: `serial://${dev}/ttyUSB0` })
  for (const other of [`serial://${dev}/ttyUSB9`, 'sim://saw', 'tcp://10.0.0.1:502', 'nonsense'])
    expect(await ports.describe(other)).toEqual({ address: other, path: other })
})

test('all names of one place have the same key', async () => {
  const dev = join(folder, 'dev')
  expect(await ports.keyOf(`serial://${dev}/ttyUSB1`)).toBe(await ports.keyOf(`serial://${dev}/serial/by-id/usb-Prolific_Serial-if00-port0`))
  expect(await ports.keyOf('sim://saw')).toBe(await ports.keyOf('tcp://127.0.0.1:5020'))
  expect(await ports.keyOf('sim://nobody')).toBe('sim://nobody')
})

test('a host that knows nothing of its ports has none, and a list that does not come is gone on without', async () => {
  const bare = hostPorts({ labFolder: undefined, devFolder: join(folder, 'nowhere'), listSerial: () => Promise.reject(new Error('no udevadm')) })
  expect(await bare.present()).toEqual([])
  const dev = join(folder, 'dev')
  const without = hostPorts({ labFolder: undefined, devFolder: dev, listSerial: () => Promise.reject(new Error('no udevadm')) })
  expect(await without.describe(`serial://${dev}/ttyUSB1`)).toMatchObject({ path: expect.stringContaining('by-id') })
})
