import { createServer, type Server, type Socket } from 'node:net'
import fc from 'fast-check'
import modbus, { type IServiceVector, ServerTCP } from 'modbus-serial'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Driver } from '../../../drivers/driver.ts'
import { BitWriter } from '../../../drivers/modbus/bits.ts'
import { modbusFormat } from '../../../drivers/modbus/format.ts'
import { exceptionOf, maskWrite, readRequest, writeCoil, writeWords } from '../../../drivers/modbus/pdu.ts'
import { profileSimulation } from '../../../drivers/modbus/simulation.ts'
import { connectModbus } from '../../../drivers/modbus/tcp.ts'
import { SimulatedRegisters } from '../../../drivers/simulation/simulated-registers.ts'
import type { RegisterInstrument } from '../../../drivers/simulation/simulator.ts'
import { writeEntry } from '../../../local/lab/book.ts'
import { freePort } from '../../harness/free-port.ts'
import { type Bench, goodValue, never, open, openBench, problemOf } from '../bench.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const PROFILE = `
protocol: modbus
id: acme-press
vendor: Acme
model: Press
connection: { over: tcp, timeoutMs: 300 }
identity: { text: 'press {serial}', expect: [{ register: serial, equals: '77' }] }
readout: force
registers:
  - { at: 0, name: serial, description: Serial number }
  - { at: 1, name: force, coding: f32, order: CDAB, unit: kN, access: read-write, limits: [0, 500], description: Force }
  - { at: 20, bit: 2, name: lamp, coding: bit, access: read-write, description: Lamp }
  - { at: 20, bit: 9, name: fan, coding: bit, access: read-write, description: Fan }
  - { function: coil, at: 5, name: door, access: read-write, description: Door }
  - { function: discrete, at: 6, name: guard, description: Guard }
  - { function: input, at: 40, name: travel, coding: i16, scale: 0.01, unit: mm, description: Travel }
`

describe('requests and replies', () => {
  test('as "MODBUS Application Protocol V1.1b3", chapter 6, prints them', () => {
    expect(readRequest('coil', 0x13, 0x13).pdu).toEqual(hex('01 00 13 00 13'))
    expect(readRequest('coil', 0x13, 0x13).decode(hex('01 03 CD 6B 05'))?.join('')).toBe('1011001111010110101')
    expect(readRequest('discrete', 0xc4, 0x16).pdu).toEqual(hex('02 00 C4 00 16'))
    expect(readRequest('discrete', 0xc4, 0x16).decode(hex('02 03 AC DB 35'))?.slice(-6).join('')).toBe('101011')
    expect(readRequest('holding', 0x6b, 3).pdu).toEqual(hex('03 00 6B 00 03'))
    expect(readRequest('holding', 0x6b, 3).decode(hex('03 06 02 2B 00 00 00 64'))).toEqual([555, 0, 100])
    expect(readRequest('input', 8, 1).pdu).toEqual(hex('04 00 08 00 01'))
    expect(readRequest('input', 8, 1).decode(hex('04 02 00 0A'))).toEqual([10])
    expect(writeCoil(0xac, true).pdu).toEqual(hex('05 00 AC FF 00'))
    expect(writeWords(1, [3], false).pdu).toEqual(hex('06 00 01 00 03'))
    expect(writeWords(1, [10, 0x0102], true).pdu).toEqual(hex('10 00 01 00 02 04 00 0A 01 02'))
    expect(writeWords(1, [10, 0x0102], true).decode(hex('10 00 01 00 02'))).toEqual([])
    expect(exceptionOf(readRequest('coil', 0x04a1, 1), hex('81 02'))).toBe(2)
  })

  test('whatever comes, a reply has as many words as were asked for, or there is none', () => {
    const request = fc.constantFrom(readRequest('holding', 7, 3), readRequest('coil', 0, 9), writeWords(1, [5], false), maskWrite(4, 1, true))
    fc.assert(
      fc.property(request, fc.uint8Array({ maxLength: 20 }), (asked, reply) => {
        const words = asked.decode(reply)
        expect(words === undefined || words.length === (asked.acts ? 0 : asked.replyLength === 8 ? 3 : 9)).toBe(true)
      }),
    )
  })
})

describe('against an independent server', () => {
  let server: ServerTCP
  let port: number
  const words = new Map<number, number>()
  const coils = new Set<number>()

  beforeEach(async () => {
    words.clear()
    coils.clear()
    const vector: IServiceVector = {
      getHoldingRegister: async (at: number) => words.get(at) ?? 0,
      getInputRegister: async (at: number) => at,
      getCoil: async (at: number) => coils.has(at),
      getDiscreteInput: async (at: number) => at % 2 === 1,
      setRegister: async (at: number, value: number) => void words.set(at, value),
      setCoil: async (at: number, on: boolean) => void (on ? coils.add(at) : coils.delete(at)),
    }
    port = await freePort()
    server = new ServerTCP(vector, { host: '127.0.0.1', port })
    await new Promise<void>((resolve) => server.on('initialized', () => resolve()))
  })

  afterEach(async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })

  test('registers, inputs, coils and discrete inputs are read and written', async () => {
    await using bus = await connectModbus({ host: '127.0.0.1', port }, never)
    const ask = (request: Parameters<typeof bus.ask>[1]) => bus.ask(1, request, 1000, never)
    await ask(writeWords(10, [0x1234], false))
    await ask(writeWords(11, [1, 2, 65_535], true))
    expect(await ask(readRequest('holding', 10, 4))).toEqual([0x1234, 1, 2, 65_535])
    expect(await ask(readRequest('input', 100, 125))).toEqual(Array.from({ length: 125 }, (_, index) => 100 + index))
    await ask(writeCoil(3, true))
    expect(await ask(readRequest('coil', 0, 10))).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    expect(await ask(readRequest('discrete', 0, 9))).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0])
  })
})

describe('a device of a profile, simulated', () => {
  let bench: Bench
  let driver: Driver
  let accepted: string[]

  beforeEach(async () => {
    bench = await openBench()
    driver = modbusFormat.driverOf(PROFILE, 'press.yaml')
    accepted = []
  })

  afterEach(async () => {
    await bench[Symbol.asyncDispose]()
  })

  test('has its values, takes what is set, and is found', async () => {
    const simulation = profileSimulation(PROFILE, 'press.yaml')
    expect(simulation.driverId).toBe('acme-press')
    await using running = await simulation.start({ folder: bench.folder, name: 'press', seed: 1, accepted: (command) => accepted.push(command) })
    await writeEntry(bench.folder, 'press', running.entry)
    await using opened = await open(driver, { address: 'sim://press' }, bench.context)
    expect(opened.device.identity).toBe('press 77')
    const { device } = opened
    expect(await device.write?.('force', 12.5, never)).toBe(12.5)
    expect(await device.write?.('fan', true, never)).toBe(true)
    expect(await device.write?.('lamp', true, never)).toBe(true)
    expect(await device.write?.('door', true, never)).toBe(true)
    const readings = await device.read(
      device.parameters.map(({ name }) => name),
      never,
    )
    expect([...readings].filter(([, reading]) => 'bad' in reading)).toEqual([])
    expect([readings.get('force'), readings.get('fan'), readings.get('door'), readings.get('guard')]).toEqual([
      { value: 12.5 },
      { value: true },
      { value: true },
      { value: false },
    ])
    expect(accepted).toEqual(['1=0', '2=16712', '20=512', '20=516', 'coil 5=1'])
    expect(await driver.probe?.('sim://press', bench.context, never)).toEqual([{ identity: 'press 77', settings: { address: 'sim://press' } }])
  })

  test('is made safe by what its profile lists, and told what cannot be read back', async () => {
    const text = `${PROFILE}  - { at: 60, name: key, access: write, description: Key }
safe: [{ at: 20, bit: 9, value: 0 }, { function: coil, at: 5, value: 0 }, { at: 60, value: 7 }]
afterLostStation: make-safe
`
    const guarded = modbusFormat.driverOf(text, 'press.yaml')
    expect(guarded.afterLostStation).toBe('MAKE_SAFE')
    await using running = await profileSimulation(text, 'press.yaml').start({
      folder: bench.folder,
      name: 'press',
      seed: 1,
      accepted: (command) => accepted.push(command),
    })
    await writeEntry(bench.folder, 'press', running.entry)
    await using opened = await open(guarded, { address: 'sim://press' }, bench.context)
    await opened.device.write?.('fan', true, never)
    await opened.device.write?.('lamp', true, never)
    expect(await opened.device.write?.('key', 3, never)).toBe(3)
    accepted.length = 0
    await opened.device.makeSafe?.(never)
    expect(accepted).toEqual(['20=4', 'coil 5=0', '60=7'])
  })

  test('may round to its step what it was told, and no further', async () => {
    const text = PROFILE.replace('limits: [0, 500],', 'limits: [0, 500], step: 0.5,')
    const rounding = modbusFormat.driverOf(text, 'press.yaml')
    const words = [77, 0, 0]
    const instrument: RegisterInstrument = {
      size: 3,
      read: (at, count) => words.slice(at, at + count),
      write: (at, value) => {
        words[at] = at === 1 ? value & 0xf000 : value // what it can hold of a float
      },
    }
    await using server = new SimulatedRegisters({ instrument, host: '127.0.0.1', port: 0, seconds: () => 0 })
    await server.plugIn()
    await writeEntry(bench.folder, 'press', { kind: 'tcp', host: '127.0.0.1', port: server.port })
    await using opened = await open(rounding, { address: 'sim://press' }, bench.context)
    const confirmed = await opened.device.write?.('force', 12.3, never)
    expect(confirmed).not.toBe(12.3)
    expect(Number(confirmed)).toBeCloseTo(12.3, 1)
    words[2] = 0
    instrument.write = () => undefined
    expect(await problemOf(opened.device.write?.('force', 400, never) ?? Promise.resolve())).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'DONE' })
  })

  test("keeps each client's bits while two change one word at once", async () => {
    await using running = await profileSimulation(PROFILE, 'press.yaml').start({ folder: bench.folder, name: 'press', seed: 1 })
    await writeEntry(bench.folder, 'press', running.entry)
    await using opened = await open(driver, { address: 'sim://press' }, bench.context)
    const other = new modbus.default()
    await other.connectTCP('127.0.0.1', { port: running.entry.kind === 'tcp' ? running.entry.port : 0 })
    other.setID(1)
    const theirs = 0x4010
    const lost: number[] = []
    const ours = async (): Promise<void> => {
      for (let round = 0; round < 40; round += 1) await opened.device.write?.('lamp', round % 2 === 0, never)
    }
    const others = async (): Promise<void> => {
      for (let round = 0; round < 40; round += 1) {
        const on = round % 2 === 0
        await other.maskWriteRegister(20, ~theirs & 0xffff, on ? theirs : 0)
        const word = (await other.readHoldingRegisters(20, 1)).data[0] ?? 0
        if ((word & theirs) !== (on ? theirs : 0)) lost.push(round)
      }
    }
    await Promise.all([ours(), others()])
    await new Promise<void>((resolve) => other.close(() => resolve()))
    expect(lost).toEqual([])
    expect(await goodValue(opened.device, 'lamp')).toBe(false)
  })

  test('holes between registers are read along until the device refuses them', async () => {
    await using running = await profileSimulation(PROFILE, 'press.yaml').start({ folder: bench.folder, name: 'press', seed: 1 })
    await writeEntry(bench.folder, 'press', running.entry)
    await using opened = await open(driver, { address: 'sim://press' }, bench.context)
    const readings = await opened.device.read(['serial', 'force', 'fan'], never) // 0 to 20 at once is refused
    expect(readings.get('fan')).toEqual({ value: false })
    const before = Number(await goodValue(opened.device, 'link_exchanges'))
    await opened.device.read(['serial', 'force', 'fan'], never)
    expect(Number(await goodValue(opened.device, 'link_exchanges')) - before).toBe(2)
  })

  test('another device is refused by what it has in its registers', async () => {
    const other = PROFILE.replace("equals: '77'", "equals: '78'")
    await using running = await profileSimulation(other, 'press.yaml').start({ folder: bench.folder, name: 'press', seed: 1 })
    await writeEntry(bench.folder, 'press', running.entry)
    const refused = await problemOf(open(driver, { address: 'sim://press' }, bench.context))
    expect(refused.message).toBe('sim://press, unit 1 has 78 in holding 0, where serial of a Acme Press is 77: it is another device')
    expect(await driver.probe?.('sim://press', bench.context, never)).toEqual([])
  })
})

describe('a bit beside its neighbours', () => {
  /** Two clients of one PLC: ours, and one that may write between our requests. */
  class Word implements RegisterInstrument {
    readonly size = 1
    readonly unknownFunctions: readonly number[]
    word = 0
    between: (() => void)[] = []

    constructor(unknownFunctions: readonly number[] = []) {
      this.unknownFunctions = unknownFunctions
    }

    read(): readonly number[] {
      const now = this.word
      this.between.shift()?.()
      return [now]
    }

    write(_at: number, value: number): void {
      this.word = value
    }
  }

  async function served<T>(
    word: Word,
    work: (bits: BitWriter, set: (bits: BitWriter, mask: number, on: boolean) => Promise<void>) => Promise<T>,
    bits: 'auto' | 'read-modify-write' | 'mask-write' = 'auto',
  ): Promise<T> {
    await using server = new SimulatedRegisters({ instrument: word, host: '127.0.0.1', port: 0, seconds: () => 0 })
    await server.plugIn()
    await using bus = await connectModbus({ host: '127.0.0.1', port: server.port }, never)
    return await work(new BitWriter({ spacingMs: 0, bits, multiple: false }), (writer, mask, on) =>
      writer.set((request) => bus.ask(1, request, 500, never), 0, mask, on, { verify: true, again: true }),
    )
  }

  test('is changed within the device where it knows function 22', async () => {
    const word = new Word()
    await served(word, async (bits, set) => {
      word.word = 0x0100
      await set(bits, 0x0008, true)
      expect(word.word).toBe(0x0108)
      await set(bits, 0x0100, false)
      expect(word.word).toBe(0x0008)
    })
  })

  test('is read until it is steady, so that a change in the meantime is kept', async () => {
    const word = new Word([22])
    await served(word, async (bits, set) => {
      word.between = [() => (word.word |= 0x0400)] // the panel, after our first reading
      await set(bits, 0x0008, true)
      expect(word.word).toBe(0x0408)
    })
  })

  test('is set again when another client wrote an older word over it', async () => {
    const word = new Word([22])
    await served(word, async (bits, set) => {
      const stale = 0x0001
      const write = word.write.bind(word)
      let once = true
      word.write = (at, value) => {
        write(at, once ? stale : value)
        once = false
      }
      await set(bits, 0x0008, true)
      expect(word.word).toBe(0x0009)
    })
  })

  test('that the device itself takes back is told, and not repeated', async () => {
    const word = new Word([22])
    let writes = 0
    await served(word, async (bits, set) => {
      word.write = () => {
        writes += 1
      }
      expect(await problemOf(set(bits, 0x0008, true))).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'DONE' })
      expect(writes).toBe(1)
    })
  })

  test('is not written while its neighbours change with every reading', async () => {
    const word = new Word([22])
    await served(word, async (bits, set) => {
      word.between = Array.from({ length: 9 }, () => () => {
        word.word ^= 0x4000
      })
      expect(await problemOf(set(bits, 0x0008, true))).toMatchObject({ effect: 'NONE' })
    })
  })

  test('is refused where function 22 is asked for and not known', async () => {
    const word = new Word([22])
    await served(word, async (bits, set) => expect((await problemOf(set(bits, 1, true))).facts.instrumentCode).toBe('1'), 'mask-write')
  })
})

describe('what a server sends', () => {
  const serving = async (reply: (socket: Socket, request: Buffer) => void): Promise<Server & { readonly at: number }> => {
    const server = createServer((socket) => {
      socket.on('data', (bytes) => reply(socket, bytes))
      socket.on('error', () => socket.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const address = server.address()
    return Object.assign(server, { at: typeof address === 'object' && address !== null ? address.port : 0 })
  }

  test('that is no Modbus ends the connection', async () => {
    const server = await serving((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await using bus = await connectModbus({ host: '127.0.0.1', port: server.at }, never)
    expect(await problemOf(bus.ask(1, readRequest('holding', 0, 1), 1000, never))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    expect(bus.lost.aborted).toBe(true)
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })

  test('in single bytes is put together, and half of it is forgotten', async () => {
    let half = true
    const server = await serving((socket, request) => {
      const reply = Buffer.concat([request.subarray(0, 4), hex('00 05 01 03 02 00 2A')])
      for (const byte of half ? reply.subarray(0, 6) : reply) socket.write(Buffer.of(byte))
      half = false
    })
    await using bus = await connectModbus({ host: '127.0.0.1', port: server.at }, never)
    expect(await problemOf(bus.ask(1, readRequest('holding', 0, 1), 100, never))).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'NONE' })
    expect(await bus.ask(1, readRequest('holding', 0, 1), 1000, never)).toEqual([42])
    await bus[Symbol.asyncDispose]()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })

  test('noise never makes a value', async () => {
    let noise: Uint8Array = new Uint8Array()
    const server = await serving((socket) => socket.write(noise))
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async (bytes) => {
        noise = bytes
        await using bus = await connectModbus({ host: '127.0.0.1', port: server.at }, never)
        await problemOf(bus.ask(1, readRequest('holding', 0, 1), 10, never))
      }),
      { numRuns: 60 },
    )
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
})
