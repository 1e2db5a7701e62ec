import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressText, parseAddress, parseBookEntry, resolveAddress } from '../../drivers/address.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { openBench, problemOf } from './bench.ts'

test('the four forms', () => {
  expect(parseAddress('serial:///dev/serial/by-id/usb-FTDI-if00')).toEqual({ kind: 'serial', path: '/dev/serial/by-id/usb-FTDI-if00' })
  expect(parseAddress('tcp://192.168.1.10:502')).toEqual({ kind: 'tcp', host: '192.168.1.10', port: 502 })
  expect(parseAddress('tcp://[::1]:502')).toEqual({ kind: 'tcp', host: '::1', port: 502 })
  expect(parseAddress('comedi:///dev/comedi0')).toEqual({ kind: 'comedi', path: '/dev/comedi0' })
  expect(parseAddress('pvcam:///opt/pvcam/libpvcam.so')).toEqual({ kind: 'library', path: '/opt/pvcam/libpvcam.so' })
  expect(parseAddress('sim://esp300')).toEqual({ kind: 'sim', name: 'esp300' })
})

test.each([
  '',
  'COM1',
  'serial://ttyS0',
  'tcp://host',
  'tcp://host:0',
  'tcp://host:70000',
  'sim://',
  'sim://../esp300',
  'sim://Esp',
  'file:///x',
  'pvcam://lib.so',
])('%j is refused with what is allowed', (text) => {
  expect(() => parseAddress(text)).toThrow('write serial:///')
})

test.each([
  'serial:///dev/ttyUSB0',
  'tcp://192.168.1.10:502',
  'tcp://[::1]:502',
  'hislip://scope:4880/hislip0',
  'usbtmc:///dev/usbtmc0',
  'spi:///dev/spidev0.0',
  'gpio:///dev/gpiochip0',
  'pvcam:///opt/pvcam/libpvcam.so',
])('%s is written as it is read', (text) => {
  const address = parseAddress(text)
  expect(address.kind === 'sim' ? text : addressText(address)).toBe(text)
})

test('no text leads out of the lab folder', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const name = `sim://${text}`
      let address: ReturnType<typeof parseAddress> | undefined
      try {
        address = parseAddress(name)
      } catch {
        return
      }
      expect(address.kind === 'sim' && /^[a-z0-9-]+$/.test(address.name)).toBe(true)
    }),
  )
})

test('a simulated address is looked up, says that it is simulated, and never falls back', async () => {
  await using bench = await openBench()
  await writeEntry(bench.folder, 'saw', { kind: 'tcp', host: '127.0.0.1', port: 1502 })
  expect(await resolveAddress('sim://saw', bench.folder)).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 1502, simulated: true })
  expect(await resolveAddress('tcp://plc:502', bench.folder)).toEqual({ kind: 'tcp', host: 'plc', port: 502, simulated: false })
  expect(await problemOf(resolveAddress('sim://nobody', bench.folder))).toMatchObject({ code: 'DEVICE_OFFLINE' })
  expect(await problemOf(resolveAddress('sim://saw', undefined))).toMatchObject({ code: 'DEVICE_OFFLINE' })
  await writeFile(join(bench.folder, 'broken.json'), '{"kind":"tcp"')
  expect(await problemOf(resolveAddress('sim://broken', bench.folder))).toMatchObject({ code: 'DEVICE_OFFLINE' })
})

test('whatever a book holds, it is an entry or nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const entry = parseBookEntry(text)
      expect(entry === undefined || ['serial', 'tcp', 'library'].includes(entry.kind)).toBe(true)
    }),
  )
})
