import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { modbusFormat } from '../../../drivers/modbus/format.ts'
import { until } from '../../until.ts'
import { type Bench, never, open, openBench, problemOf, readOne } from '../bench.ts'

/** Which connection a request comes on, as the device sees it: the stop's own, or the one of everything else. */

const PROFILE = (connection: string): string => `
protocol: modbus
id: acme-saw
vendor: Acme
model: Saw
connection: { over: tcp, timeoutMs: 1000${connection} }
registers:
  - { at: 0, name: speed, access: read-write, description: Speed }
  - { at: 1, name: target, access: read-write, description: Target }
  - { at: 20, bit: 3, name: start, coding: bit, access: read-write, description: Start }
commands: [{ name: go, at: 20, bit: 3, description: Starts }]
stop: { at: 20, value: 16 }
`
const WRITE = 6

type Seen = { readonly connection: number; readonly code: number; readonly at: number; readonly value: number }

/** Registers that keep what is written, with a silence for chosen connections and another's unit in front of each reply if wanted. */
class Device {
  readonly seen: Seen[] = []
  readonly sockets: Socket[] = []
  readonly silent = new Set<number>()
  /** Sent before each reply: the same reply by another unit, with another value. */
  foreign = false
  /** A button that springs back. */
  springs = false
  readonly #words = new Map<number, number>()
  readonly #server = createServer((socket) => this.#serve(socket))

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : expect.fail('no port')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    const connection = this.sockets.push(socket) - 1
    socket.on('error', () => undefined) // the driver hangs up
    socket.on('data', (frame) => {
      const [code = 0, at, value] = [frame[7], frame.readUInt16BE(8), frame.readUInt16BE(10)]
      this.seen.push({ connection, code, at, value })
      if (this.silent.has(connection)) return
      if (this.foreign) socket.write(this.#framed(frame, 9, this.#reply(code, at, 0xbad)))
      if (code === WRITE) this.#words.set(at, this.springs && at === 20 ? 0 : value)
      socket.write(this.#framed(frame, frame[6] ?? 0, this.#reply(code, at, value)))
    })
  }

  #reply(code: number, at: number, value: number): Buffer {
    if (code === WRITE) return Buffer.of(WRITE, at >> 8, at & 0xff, value >> 8, value & 0xff)
    const word = value === 0xbad ? value : (this.#words.get(at) ?? 0)
    return code === 3 ? Buffer.of(3, 2, word >> 8, word & 0xff) : Buffer.of(code | 0x80, 1)
  }

  #framed(request: Buffer, unit: number, pdu: Buffer): Buffer {
    return Buffer.concat([request.subarray(0, 4), Buffer.of(0, pdu.length + 1, unit), pdu])
  }
}

let bench: Bench
let device: Device
let address: string

beforeEach(async () => {
  bench = await openBench()
  device = new Device()
  address = `tcp://127.0.0.1:${await device.listen()}`
})

afterEach(async () => {
  await device[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
})

const driver = (connection = '') => modbusFormat.driverOf(PROFILE(connection), 'saw.yaml')
const stops = (): readonly number[] =>
  device.seen.filter(({ code, at, value }) => code === WRITE && at === 20 && value === 16).map(({ connection }) => connection)

test('a stop goes over a connection of its own, while the other hangs', async () => {
  await using opened = await open(driver(), { address }, bench.context)
  expect(device.sockets).toHaveLength(2)
  const asked = device.seen.length
  device.silent.add(0)
  const hanging = readOne(opened.device, 'speed')
  await until(() => device.seen.length > asked)
  const stop = await opened.device.emergencyStop?.(never)
  expect(await stop?.confirmed).toBe(true)
  expect(stops()).toEqual([1])
  expect(device.seen.filter(({ connection }) => connection === 1)).toHaveLength(1)
  expect(await hanging).toHaveProperty('bad')
})

test('what was asked for before a stop is not sent after it', async () => {
  await using opened = await open(driver(), { address }, bench.context)
  const asked = device.seen.length
  device.silent.add(0)
  const hanging = readOne(opened.device, 'speed')
  await until(() => device.seen.length > asked)
  const waiting = problemOf(opened.device.write?.('target', 7, never) ?? Promise.resolve())
  const stop = await opened.device.emergencyStop?.(never)
  expect((await waiting).code).toBe('EMERGENCY_STOPPED')
  await stop?.confirmed
  await hanging
  device.silent.clear()
  expect(await readOne(opened.device, 'target')).toEqual({ value: 0 })
  expect(device.seen.filter(({ code, at }) => code === WRITE && at === 1)).toEqual([])
})

test('a lost connection of the stop is a lost device: nobody works without it', async () => {
  await using opened = await open(driver(), { address }, bench.context)
  device.sockets[1]?.destroy()
  await until(() => opened.port.lost.aborted)
  expect(await problemOf(opened.device.read(['speed'], never))).toMatchObject({ code: 'DEVICE_OFFLINE' })
})

test('a device that takes one connection gets its stop there, past the question that hangs', async () => {
  await using opened = await open(driver(', stopConnection: false'), { address }, bench.context)
  expect(device.sockets).toHaveLength(1)
  const asked = device.seen.length
  device.silent.add(0)
  const hanging = readOne(opened.device, 'speed')
  await until(() => device.seen.length > asked)
  const stopping = await opened.device.emergencyStop?.(never)
  await until(() => stops().length > 0)
  expect(stops()).toEqual([0])
  expect(await hanging).toHaveProperty('bad')
  await stopping?.confirmed
})

test("another unit's reply is not taken for ours", async () => {
  await using opened = await open(driver(), { address }, bench.context)
  device.foreign = true
  expect(await readOne(opened.device, 'speed')).toEqual({ value: 0 })
  expect(await opened.device.write?.('target', 5, never)).toBe(5)
})

test('a button that springs back at once was pressed, and is pressed once', async () => {
  await using opened = await open(driver(), { address }, bench.context)
  device.springs = true
  await opened.device.commands?.invoke('go', {}, never)
  expect(device.seen.filter(({ code }) => code === WRITE)).toEqual([{ connection: 0, code: WRITE, at: 20, value: 8 }])
})
