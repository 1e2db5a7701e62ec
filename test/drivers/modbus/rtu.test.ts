import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import modbus from 'modbus-serial'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DriverPort } from '../../../drivers/driver.ts'
import { crc16, framed, isWhole } from '../../../drivers/modbus/crc.ts'
import { modbusFormat } from '../../../drivers/modbus/format.ts'
import { maskWrite, readRequest, writeWords } from '../../../drivers/modbus/pdu.ts'
import { ProfileSimulator } from '../../../drivers/modbus/profile-simulator.ts'
import { readProfile } from '../../../drivers/modbus/read-profile.ts'
import { overSerial, replyIn, silenceMs } from '../../../drivers/modbus/rtu.ts'
import { RtuUnits, serveRtu } from '../../../drivers/simulation/simulated-rtu.ts'
import type { RunningSimulation } from '../../../drivers/simulation/simulation.ts'
import type { ByteTransport } from '../../../drivers/transport/byte-transport.ts'
import { openSerial } from '../../../drivers/transport/byte-transport.ts'
import { writeEntry } from '../../../local/lab/book.ts'
import { until } from '../../until.ts'
import { expectBadAfter } from '../bad-after.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from '../bench.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const FAST = 20 // times the pace of the line: its timing is tested by itself
const PROFILE = join(import.meta.dirname, '../../../drivers/modbus/profiles/omron-e5cc.yaml')

describe('frames', () => {
  test('the CRC goes low byte first: 01 03 00 00 00 01 has 84 0A', () => {
    expect(framed(1, hex('03 00 00 00 01'))).toEqual(hex('01 03 00 00 00 01 84 0A'))
    expect(isWhole(hex('01 03 00 00 00 01 84 0A'))).toBe(true)
    expect(isWhole(hex('01 03 00 00 00 01 0A 84'))).toBe(false)
  })

  test('as the manual of the E5_C prints them', () => {
    // Variable write, multiple (H175, 4-4-2): alarm value upper limit and lower limit 1, in four-byte mode.
    expect(framed(1, writeWords(0x010a, [0x0000, 0x03e8, 0xffff, 0xfc18], true).pdu)).toEqual(hex('01 10 01 0A 00 04 08 00 00 03 E8 FF FF FC 18 8D E9'))
    expect(framed(1, writeWords(0x2105, [0x03e8, 0xfc18], true).pdu)).toEqual(hex('01 10 21 05 00 02 04 03 E8 FC 18 BB 66'.replace('BB 66', '66 BB')))
    expect(writeWords(0x2105, [1, 2], true).decode(hex('10 21 05 00 02'))).toEqual([])
    expect(isWhole(hex('01 10 01 0A 00 04 E0 34'))).toBe(true)
  })

  test('are apart by 3.5 characters, and by 1.75 ms above 19200 baud', () => {
    expect(silenceMs({ path: '', baudRate: 9600, bitsPerCharacter: 11 })).toBeCloseTo(4.01, 2)
    expect(silenceMs({ path: '', baudRate: 115_200, bitsPerCharacter: 11 })).toBe(1.75)
  })

  test('a reply is found after noise, and nothing else is taken for it', () => {
    const request = readRequest('holding', 0, 1)
    const reply = framed(1, hex('03 02 12 34'))
    expect(replyIn(Buffer.concat([hex('00 FF 01 03'), reply]), 1, request)).toEqual(hex('03 02 12 34'))
    expect(replyIn(framed(2, hex('03 02 12 34')), 1, request)).toBeUndefined()
    expect(replyIn(framed(1, hex('04 02 12 34')), 1, request)).toBeUndefined()
    expect(replyIn(framed(1, hex('03 04 12 34 56 78')), 1, request)).toBeUndefined()
    expect(replyIn(framed(1, hex('83 02')), 1, request)).toEqual(hex('83 02'))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const found = replyIn(bytes, 1, request)
        expect(found === undefined || isWhole(framed(1, found))).toBe(true)
      }),
    )
    fc.assert(
      fc.property(fc.nat(reply.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const spoilt = Uint8Array.from(reply, (byte, index) => (index === at ? byte ^ flip : byte))
        expect(replyIn(spoilt, 1, request)).toBeUndefined()
      }),
    )
    expect(crc16(new Uint8Array())).toBe(0xffff)
  })

  test('a device is silent to a wrong CRC and to another address, and obeys a broadcast without an answer', () => {
    const accepted: string[] = []
    const profile = readProfile(ONE_REGISTER, 'one.yaml').profile({})
    const units = new RtuUnits({
      units: new Map([[7, new ProfileSimulator(profile, { random: () => 0.5, accepted: (command) => accepted.push(command) })]]),
      baudRate: 9600,
      bitsPerCharacter: 11,
      answerMs: 0,
    })
    expect(units.receive(framed(7, hex('03 00 00 00 01')), 1)).toEqual(Buffer.from(framed(7, hex('03 02 00 00'))))
    expect(units.receive(framed(8, hex('03 00 00 00 01')), 2)).toHaveLength(0)
    expect(units.receive(hex('07 03 00 00 00 01 00 00'), 3)).toHaveLength(0)
    expect(units.receive(framed(7, hex('06 00 00 00 09')).subarray(0, 5), 4)).toHaveLength(0)
    expect(units.receive(framed(7, hex('06 00 00 00 09')).subarray(5), 4.01)).toEqual(Buffer.from(framed(7, hex('06 00 00 00 09'))))
    expect(units.receive(framed(0, hex('06 00 00 00 0A')), 5)).toHaveLength(0)
    expect(units.receive(framed(7, hex('2B 0E 01 00')), 6)).toEqual(Buffer.from(framed(7, hex('AB 01'))))
    expect(accepted).toEqual(['0=9', '0=10'])
  })
})

describe('a temperature controller on an RTU line', () => {
  let bench: Bench
  let line: RunningSimulation
  let accepted: string[]
  let driver: ReturnType<typeof modbusFormat.driverOf>

  beforeEach(async () => {
    bench = await openBench()
    accepted = []
    const text = await readFile(PROFILE, 'utf8')
    driver = modbusFormat.driverOf(text, 'omron-e5cc.yaml')
    const profile = readProfile(text, 'omron-e5cc.yaml').profile({})
    const unit = (name: string) => new ProfileSimulator(profile, { random: () => 0.5, accepted: (command) => accepted.push(`${name} ${command}`) })
    line = await serveRtu(
      { units: new Map([1, 2].map((address) => [address, unit(`unit ${address}`)])), baudRate: 9600, bitsPerCharacter: 11, answerMs: 2, devices: [{}] },
      { folder: bench.folder, name: 'oven', seed: 1, lineFactor: FAST },
    )
    await writeEntry(bench.folder, 'oven', line.entry)
  })

  afterEach(async () => {
    await line[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  const serialPath = (): string => (line.entry.kind === 'serial' ? line.entry.path : expect.fail('no serial line'))

  test('is read and set', async () => {
    await using opened = await open(driver, { address: 'sim://oven' }, bench.context)
    expect(opened.device.identity).toBe('OMRON E5CC at sim://oven, unit 1')
    const readings = await opened.device.read(
      opened.device.parameters.map(({ name }) => name),
      never,
    )
    expect([...readings].filter(([, reading]) => 'bad' in reading)).toEqual([])
    expect(await opened.device.write?.('setpoint', 37.5, never)).toBe(37.5)
    expect(accepted).toEqual(['unit 1 8451=375'])
    expect((await problemOf(opened.device.write?.('setpoint', 1301, never) ?? Promise.resolve())).code).toBe('LIMIT_VIOLATION')
    await opened.device.commands?.invoke('run', {}, never)
    expect(accepted.at(-1)).toBe('unit 1 0=256')
    const stop = await opened.device.emergencyStop?.(never)
    expect(await stop?.confirmed).toBe(true)
    expect(accepted.at(-1)).toBe('unit 1 0=257')
  })

  test('shares its line with another, each with its own values, in turns', async () => {
    await using port: DriverPort = await driver.openPort({ address: 'sim://oven' }, bench.context, never)
    await using first = await driver.openDevice(port, { address: 'sim://oven' }, bench.context, never)
    await using second = await driver.openDevice(port, { address: 'sim://oven', unit: 2 }, bench.context, never)
    await Promise.all([first.write?.('setpoint', 100, never), second.write?.('setpoint', 200, never)])
    const order: number[] = []
    const busy = Array.from({ length: 6 }, () => first.read(['setpoint'], never).then(() => order.push(1)))
    const quiet = Array.from({ length: 2 }, () => second.read(['setpoint'], never).then(() => order.push(2)))
    await Promise.all([...busy, ...quiet])
    expect(order.indexOf(2)).toBeLessThan(3)
    expect(await goodValue(first, 'setpoint')).toBe(100)
    expect(await goodValue(second, 'setpoint')).toBe(200)
    const refused = driver.openDevice(port, { address: 'sim://oven', unit: 3, baudRate: 19_200 }, bench.context, never)
    expect((await problemOf(refused)).message).toContain('is open for another device with 9600 baud')
    expect(() => driver.locate({ address: 'serial:///dev/ttyUSB0', unit: 248 })).toThrow('1 to 247')
  })

  test('a request that goes wrong has no value, and the next one is right', async () => {
    await using opened = await open(driver, { address: 'sim://oven' }, bench.context)
    await opened.device.write?.('setpoint', 80, never)
    for (const fault of [{ kind: 'silent' }, { kind: 'garbage' }, { kind: 'cut' }, { kind: 'foreign' }, { kind: 'late', byMs: 400 }] as const) {
      line.inject(fault)
      expectBadAfter(fault, await readOne(opened.device, 'process_value'), 0)
      expect(await goodValue(opened.device, 'setpoint'), `after ${fault.kind}`).toBe(80)
      expect(await goodValue(opened.device, 'process_value'), `after ${fault.kind}`).toBe(0)
    }
    line.inject({ kind: 'error', code: '4' })
    expect(await readOne(opened.device, 'process_value')).toMatchObject({ bad: expect.stringContaining('exception 4 (server device failure)') })
    line.inject({ kind: 'silent' })
    expect(await problemOf(opened.device.write?.('setpoint', 90, never) ?? Promise.resolve())).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'POSSIBLE' })
  })

  test('a stop does not wait for a request that is not answered', async () => {
    await using opened = await open(driver, { address: 'sim://oven' }, bench.context)
    line.inject({ kind: 'silent' })
    const hanging = readOne(opened.device, 'process_value')
    await until(() => line.faultsLeft === 0)
    const stop = await opened.device.emergencyStop?.(never)
    expect(await stop?.confirmed).toBe(true)
    expect(accepted).toEqual(['unit 1 0=257'])
    expect(await hanging).toHaveProperty('bad')
  })

  test('an unplugged line is lost', async () => {
    await using opened = await open(driver, { address: 'sim://oven' }, bench.context)
    await line.unplug()
    await until(() => opened.port.lost.aborted)
    expect(await problemOf(opened.device.read(['setpoint'], never))).toMatchObject({ code: 'DEVICE_OFFLINE' })
  })

  test('the simulated line answers an independent client', async () => {
    const client = new modbus.default()
    await client.connectRTUBuffered(serialPath(), { baudRate: 9600, parity: 'even' })
    try {
      client.setID(2)
      client.setTimeout(1000)
      expect((await client.readHoldingRegisters(0x2000, 6)).data).toEqual([0, 0, 0, 0, 0, 0])
      await client.writeRegister(0x2103, 375)
      expect((await client.readHoldingRegisters(0x2103, 1)).data).toEqual([375])
      await expect(client.readHoldingRegisters(0x3000, 1)).rejects.toMatchObject({ modbusCode: 2 })
    } finally {
      await new Promise<void>((resolve) => client.close(() => resolve()))
    }
  })

  test('a reply takes the time that the line needs', async () => {
    await using slow = await serveRtu(
      {
        units: new Map([[1, { size: 200, read: (_at, count) => Array.from({ length: count }, () => 7), write: () => undefined }]]),
        baudRate: 9600,
        bitsPerCharacter: 11,
        answerMs: 0,
        devices: [{}],
      },
      { folder: bench.folder, name: 'slow', seed: 1 },
    )
    const path = slow.entry.kind === 'serial' ? slow.entry.path : expect.fail('no serial line')
    await using transport: ByteTransport = await openSerial({ path, baudRate: 9600, flowControl: 'none', parity: 'even' }, never)
    await using bus = overSerial(transport, { path, baudRate: 9600, bitsPerCharacter: 11 })
    const startMs = performance.now()
    expect(await bus.ask(1, readRequest('holding', 0, 50), 1000, never)).toHaveLength(50)
    // 8 characters there, 3.5 of silence, 105 back, 11 bits each
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(((8 + 3.5 + 105) * 11 * 1000) / 9600 - 5)
  })
})

describe('bytes of a device that others wrote', () => {
  test('are sent and taken as the specification prints them', async () => {
    const sent: string[] = []
    const replies = new Map([
      // "MODBUS Application Protocol V1.1b3", 6.3, 6.6 and 6.16, in RTU frames.
      ['11 03 00 6b 00 03 76 87', '11 03 06 02 2b 00 00 00 64 c8 ba'],
      ['11 06 00 01 00 03 9a 9b', '11 06 00 01 00 03 9a 9b'],
      ['11 16 00 04 00 f2 00 25 66 e2', '11 16 00 04 00 f2 00 25 66 e2'],
    ])
    let listener: (bytes: Uint8Array) => void = () => undefined
    const lost = new AbortController()
    const transport: ByteTransport = {
      lost: lost.signal,
      onBytes: (given) => {
        listener = given
      },
      write: async (bytes) => {
        const text = Buffer.from(bytes)
          .toString('hex')
          .replace(/(..)(?=.)/g, '$1 ')
        sent.push(text)
        const reply = replies.get(text)
        if (reply !== undefined) queueMicrotask(() => listener(hex(reply)))
      },
      [Symbol.asyncDispose]: async () => lost.abort(),
    }
    await using bus = overSerial(transport, { path: 'memory', baudRate: 115_200, bitsPerCharacter: 11 })
    expect(await bus.ask(0x11, readRequest('holding', 0x6b, 3), 200, never)).toEqual([0x022b, 0, 0x64])
    expect(await bus.ask(0x11, writeWords(1, [3], false), 200, never)).toEqual([])
    expect(maskWrite(4, 0x0025, true).pdu).toEqual(hex('16 00 04 FF DA 00 25'))
    expect([...replies.keys()].slice(0, 2)).toEqual(sent)
  })
})

test('the silence between frames is kept', async () => {
  const line = { path: 'memory', baudRate: 1200, bitsPerCharacter: 11 }
  const sentMs: number[] = []
  let repliedMs = 0
  let listener: (bytes: Uint8Array) => void = () => undefined
  const transport: ByteTransport = {
    lost: never,
    onBytes: (given) => {
      listener = given
    },
    write: async () => {
      sentMs.push(performance.now())
      setTimeout(() => {
        repliedMs = performance.now()
        listener(framed(1, hex('03 02 00 07')))
      }, 5)
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  await using bus = overSerial(transport, line)
  await bus.ask(1, readRequest('holding', 0, 1), 500, never)
  const firstReplyMs = repliedMs
  await bus.ask(1, readRequest('holding', 0, 1), 500, never)
  expect((sentMs[1] ?? 0) - firstReplyMs).toBeGreaterThanOrEqual(silenceMs(line) - 1) // 32 ms
})

test('a line that is never silent, and one that takes no bytes, end in an error', async () => {
  let listener: (bytes: Uint8Array) => void = () => undefined
  let writes = 0
  const noise = setInterval(() => listener(hex('FF')), 1)
  const transport: ByteTransport = {
    lost: never,
    onBytes: (given) => {
      listener = given
    },
    write: async () => {
      writes += 1
      if (writes > 1) await new Promise(() => undefined) // flow control holds it back
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  try {
    await using bus = overSerial(transport, { path: 'noisy', baudRate: 19_200, bitsPerCharacter: 11 })
    const refused = await problemOf(bus.ask(1, readRequest('holding', 0, 1), 30, never))
    expect(refused.message).toContain('bytes came that are no whole reply (ffff')
    expect(await problemOf(bus.ask(2, writeWords(0, [1], false), 30, never))).toMatchObject({ effect: 'POSSIBLE' })
    expect(writes).toBe(2)
  } finally {
    clearInterval(noise)
  }
})

const ONE_REGISTER = `
protocol: modbus
id: test-one
vendor: Test
model: One
registers:
  - { at: 0, name: value, access: read-write, description: A value }
`
