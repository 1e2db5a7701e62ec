import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PinSocket, servePins } from '../../../drivers/simulation/pin-socket.ts'
import { openLineInput, serveLines } from '../../../drivers/transport/line-input.ts'
import { openSpiTransport, serveSpi } from '../../../drivers/transport/spi-transport.ts'
import { openBench, problemOf } from '../bench.ts'

test('questions are answered one after the other, in order', async () => {
  await using bench = await openBench()
  const path = join(bench.folder, 'pins')
  await writeFile(path, 'what a dead simulator left')
  await using _server = await servePins(path, (question) => question.map((byte) => byte + 1))
  await using pins = new PinSocket(path)
  const answers = await Promise.all([1, 2, 3].map((byte) => pins.ask(Uint8Array.of(byte, 0))))
  expect(answers).toEqual([1, 2, 3].map((byte) => Uint8Array.of(byte + 1, 1)))
})

test('no answer is an error within its time, and a late one is nobody else’s', async () => {
  await using bench = await openBench()
  const path = join(bench.folder, 'pins')
  let silent = true
  await using _server = await servePins(path, (question) => (silent ? undefined : question))
  await using pins = new PinSocket(path)
  expect((await problemOf(pins.ask(Uint8Array.of(7)))).message).toContain('did not answer')
  silent = false
  expect(await pins.ask(Uint8Array.of(8))).toEqual(Uint8Array.of(8))
})

test('an empty answer is an input/output error; a socket that goes away is offline, and comes back', async () => {
  await using bench = await openBench()
  const path = join(bench.folder, 'pins')
  const first = await servePins(path, () => new Uint8Array())
  await using pins = new PinSocket(path)
  expect((await problemOf(pins.ask(Uint8Array.of(1)))).message).toContain('input/output error')
  await first[Symbol.asyncDispose]()
  expect(await problemOf(pins.ask(Uint8Array.of(1)))).toMatchObject({ code: 'DEVICE_OFFLINE' })
  await using _again = await servePins(path, () => Uint8Array.of(5))
  expect(await pins.ask(Uint8Array.of(1))).toEqual(Uint8Array.of(5))
})

test('an SPI device and a GPIO chip are what their file is, and a simulated one says so', async () => {
  await using bench = await openBench()
  const [spi, gpio] = [join(bench.folder, 'spi'), join(bench.folder, 'gpio')]
  await using _spi = await serveSpi(spi, (mode, bytes) => Uint8Array.of(mode, bytes.length))
  await using _gpio = await serveLines(gpio, (line) => (line === 27 ? false : undefined))
  await using transport = await openSpiTransport(spi, { mode: 1, speedHz: 500_000 })
  expect(transport.simulated).toBe(true)
  expect(await transport.transfer(new Uint8Array(2))).toEqual(Uint8Array.of(1, 2))
  await using line = await openLineInput(gpio, 27)
  expect([line.simulated, await line.level()]).toEqual([true, false])
  await using other = await openLineInput(gpio, 3)
  expect((await problemOf(other.level())).message).toContain('no line 3')
  expect(await problemOf(openSpiTransport(join(bench.folder, 'none'), { mode: 1, speedHz: 1 }))).toMatchObject({ code: 'DEVICE_OFFLINE' })
  expect(await problemOf(openLineInput('/dev/null', 1))).toMatchObject({ code: 'DEVICE_OFFLINE' })
})
