import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openHislip } from '../../../drivers/scpi/hislip/client.ts'
import {
  ANY_MESSAGE_ID,
  Decoder,
  encode,
  FIRST_MESSAGE_ID,
  type HislipMessage,
  nextMessageId,
  sizePayload,
  TYPE,
} from '../../../drivers/scpi/hislip/protocol.ts'
import { SimulatedHislip } from '../../../drivers/scpi/hislip/server.ts'
import { until } from '../../until.ts'
import { never, problemOf } from '../bench.ts'
import { Scripted } from './scripted.ts'

const MAX = 1 << 16
const soon = (): number => performance.now() + 2000

describe('messages', () => {
  test('an Initialize as IVI-6.1 has it', () => {
    expect(encode(TYPE.initialize, 0, 0x0100_4b59, Buffer.from('hislip0')).toString('hex')).toBe(
      `48530000${'01004b59'}${'0000000000000007'}${Buffer.from('hislip0').toString('hex')}`,
    )
    expect(encode(TYPE.dataEnd, 1, FIRST_MESSAGE_ID, Buffer.from('*IDN?\n')).toString('hex')).toBe('48530701ffffff0000000000000000062a49444e3f0a')
  })

  test('come out whole however they are cut', () => {
    const message = fc.record({ type: fc.nat(255), control: fc.nat(255), parameter: fc.nat(0xffff_ffff), payload: fc.uint8Array({ maxLength: 64 }) })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.integer({ min: 1, max: 40 }), (messages, step) => {
        const bytes = Buffer.concat(messages.map(({ type, control, parameter, payload }) => encode(type, control, parameter, payload)))
        const decoder = new Decoder(MAX)
        const got: HislipMessage[] = []
        for (let at = 0; at < bytes.length; at += step) {
          const some = decoder.take(bytes.subarray(at, at + step))
          if ('broken' in some) throw new Error(some.broken)
          got.push(...some)
        }
        expect(got.map((each) => ({ ...each, payload: Uint8Array.from(each.payload) }))).toEqual(messages)
      }),
    )
  })

  test('whatever comes: messages or a word why not, and nothing is kept of one that is too long', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 80 }),
          fc.uint8Array({ minLength: 14, maxLength: 80 }).map((rest) => Buffer.concat([Buffer.from('HS'), rest])),
        ),
        (bytes) => {
          const decoder = new Decoder(MAX)
          const taken = decoder.take(bytes)
          if ('broken' in taken) expect(decoder.take(encode(TYPE.data))).toEqual(taken)
          else for (const { payload } of taken) expect(payload.length).toBeLessThanOrEqual(MAX)
        },
      ),
    )
    expect(new Decoder(10).take(encode(TYPE.data, 0, 0, new Uint8Array(11)))).toEqual({ broken: 'a message of 11 bytes is longer than 10' })
  })

  test('ids go up by two and round', () => {
    expect(nextMessageId(0xffff_fffe)).toBe(0)
    expect(nextMessageId(FIRST_MESSAGE_ID)).toBe(0xffff_ff02)
  })
})

describe('with the simulated server', () => {
  let instrument: Scripted
  let server: SimulatedHislip

  beforeEach(async () => {
    instrument = new Scripted()
    server = new SimulatedHislip({ instrument, host: '127.0.0.1', port: 0, seconds: () => 0 })
    await server.plugIn()
  })

  afterEach(async () => await server[Symbol.asyncDispose]())

  const opened = () => openHislip({ host: '127.0.0.1', port: server.port, name: 'hislip0' }, never)

  test('a question is answered, without its terminator', async () => {
    await using link = await opened()
    await link.send('*IDN?')
    expect(await link.receive(soon(), never)).toBe('ACME,TINY,1,1.0')
  })

  test('an answer with another message id is not ours', async () => {
    await using link = await opened()
    server.inject({ kind: 'foreign' })
    await link.send('*IDN?')
    expect(await link.receive(performance.now() + 100, never)).toBeUndefined()
    await link.send('*OPC?')
    expect(await link.receive(soon(), never)).toBe('1')
  })

  test('a device clear takes back what was asked, on both channels', async () => {
    await using link = await opened()
    server.inject({ kind: 'late', byMs: 150 })
    await link.send('*IDN?')
    await link.clear?.(never)
    await link.send('*OPC?')
    expect(await link.receive(soon(), never)).toBe('1')
    expect(await link.receive(performance.now() + 200, never)).toBeUndefined()
  })

  test('a message before the last answer was read interrupts that answer', async () => {
    await using link = await opened()
    server.inject({ kind: 'late', byMs: 100 })
    await link.send('*IDN?')
    await link.send('*OPC?')
    expect(await link.receive(soon(), never)).toBe('1')
    expect(await link.receive(performance.now() + 150, never)).toBeUndefined()
  })

  test('long answers come in several messages and are put together', async () => {
    instrument.answers.set('TRAC?', Array.from({ length: 20_000 }, (_, index) => index).join(','))
    await using link = await opened()
    await link.send('TRAC?')
    expect((await link.receive(soon(), never))?.length).toBe(108_889)
    const long = `DISP "${'x'.repeat(100_000)}"`
    await link.send(long)
    await until(() => instrument.told.includes(long))
  })

  test('nobody gets in without both channels, and nonsense ends the connection with its reason', async () => {
    expect(await firstAnswer(server.port, encode(TYPE.data, 0, 0, Buffer.from('*IDN?')))).toMatchObject({ type: TYPE.fatalError, control: 3 })
    expect(await firstAnswer(server.port, Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toMatchObject({ type: TYPE.fatalError, control: 1 })
    expect(await firstAnswer(server.port, encode(TYPE.asyncInitialize, 0, 77))).toMatchObject({ type: TYPE.fatalError, control: 3 })
  })

  test('a lost channel is a lost connection', async () => {
    await using link = await opened()
    await server.unplug()
    await until(() => link.lost.aborted)
    expect(link.lost.reason).toMatchObject({ code: 'DEVICE_OFFLINE' })
    expect(await problemOf(link.send('*IDN?'))).toMatchObject({ code: 'DEVICE_OFFLINE' })
  })
})

async function firstAnswer(port: number, bytes: Uint8Array): Promise<HislipMessage | undefined> {
  return await new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const decoder = new Decoder(MAX)
    socket.on('error', reject)
    socket.on('data', (data) => {
      const messages = decoder.take(data)
      if (!('broken' in messages)) resolve(messages[0])
      socket.destroy()
    })
  })
}

/** What a server of somebody else's may do. */
describe('with a server that we did not write', () => {
  type Play = (socket: Socket, message: HislipMessage) => void

  async function played(play: Play): Promise<AsyncDisposable & { readonly port: number }> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      const decoder = new Decoder(MAX)
      socket.on('data', (bytes) => {
        const messages = decoder.take(bytes)
        if (!('broken' in messages)) for (const message of messages) play(socket, message)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return {
      port: typeof address === 'object' && address !== null ? address.port : expect.fail('no port'),
      [Symbol.asyncDispose]: async () => {
        for (const socket of sockets) socket.destroy()
        await new Promise((resolve) => server.close(resolve))
      },
    }
  }

  const handshake: Play = (socket, { type }) => {
    if (type === TYPE.initialize) socket.write(encode(TYPE.initializeResponse, 0, 0x0100_0007))
    if (type === TYPE.asyncInitialize) socket.write(encode(TYPE.asyncInitializeResponse))
    if (type === TYPE.asyncMaximumMessageSize) socket.write(encode(TYPE.asyncMaximumMessageSizeResponse, 0, 0, sizePayload(200)))
  }
  const place = (port: number) => ({ host: '127.0.0.1', port, name: 'hislip0' })

  test('the session’s number is given back on the other channel, and long messages are cut to what it takes', async () => {
    const seen: HislipMessage[] = []
    await using server = await played((socket, message) => {
      seen.push(message)
      handshake(socket, message)
    })
    await using link = await openHislip(place(server.port), never)
    await link.send('x'.repeat(500))
    await until(() => seen.some(({ type }) => type === TYPE.dataEnd))
    expect(seen.find(({ type }) => type === TYPE.asyncInitialize)?.parameter).toBe(7)
    const data = seen.filter(({ type }) => type === TYPE.data || type === TYPE.dataEnd)
    expect(data.map(({ payload }) => payload.length)).toEqual([184, 184, 133])
    expect(data.map(({ parameter }) => parameter)).toEqual([0xffff_ff00, 0xffff_ff02, 0xffff_ff04])
  })

  test('an answer that belongs to no message in particular is taken; that it was, is told with the next message', async () => {
    const seen: HislipMessage[] = []
    await using server = await played((socket, message) => {
      handshake(socket, message)
      if (message.type !== TYPE.dataEnd) return
      seen.push(message)
      socket.write(encode(TYPE.dataEnd, 0, ANY_MESSAGE_ID, Buffer.from('4\n')))
    })
    await using link = await openHislip(place(server.port), never)
    for (let round = 0; round < 2; round += 1) {
      await link.send('X?')
      expect(await link.receive(soon(), never)).toBe('4')
    }
    expect(seen.map(({ control }) => control)).toEqual([0, 1])
  })

  test('one that prefers overlapped mode is asked for the other, by a device clear', async () => {
    const seen: number[] = []
    await using server = await played((socket, message) => {
      seen.push(message.type)
      if (message.type === TYPE.initialize) socket.write(encode(TYPE.initializeResponse, 1, 0x0100_0007))
      else handshake(socket, message)
      if (message.type === TYPE.asyncDeviceClear) socket.write(encode(TYPE.asyncDeviceClearAcknowledge, 1))
      if (message.type === TYPE.deviceClearComplete) socket.write(encode(TYPE.deviceClearAcknowledge, 0))
    })
    await using _link = await openHislip(place(server.port), never)
    expect(seen).toEqual([TYPE.initialize, TYPE.asyncInitialize, TYPE.asyncMaximumMessageSize, TYPE.asyncDeviceClear, TYPE.deviceClearComplete])
  })

  test('after a device clear the numbers of messages begin anew, as the instrument counts them', async () => {
    const numbers: number[] = []
    await using server = await played((socket, message) => {
      handshake(socket, message)
      if (message.type === TYPE.dataEnd) numbers.push(message.parameter)
      if (message.type === TYPE.asyncDeviceClear) socket.write(encode(TYPE.asyncDeviceClearAcknowledge))
      if (message.type === TYPE.deviceClearComplete) socket.write(encode(TYPE.deviceClearAcknowledge))
    })
    await using link = await openHislip(place(server.port), never)
    for (const command of ['ONE', 'TWO']) await link.send(command)
    await link.clear?.(never)
    await link.send('THREE')
    await until(() => numbers.length === 3)
    expect(numbers).toEqual([0xffff_ff00, 0xffff_ff02, 0xffff_ff00])
  })

  test('an error is told in place of an answer, a fatal one ends the connection with its reason', async () => {
    await using server = await played((socket, message) => {
      handshake(socket, message)
      if (message.type === TYPE.dataEnd && message.payload.length < 10) socket.write(encode(TYPE.error, 4, 0, Buffer.from('far too large')))
      if (message.type === TYPE.dataEnd && message.payload.length >= 10) socket.write(encode(TYPE.fatalError, 4, 0, Buffer.from('full')))
    })
    await using link = await openHislip(place(server.port), never)
    await link.send('X?')
    expect(await problemOf(link.receive(soon(), never))).toMatchObject({ message: expect.stringContaining('message too large (far too large)') })
    await link.send('LONG:MESSAGE?')
    await until(() => link.lost.aborted)
    expect(link.lost.reason).toMatchObject({ message: expect.stringContaining('too many clients (full)') })
  })

  test('one that is no HiSLIP server, or too generous, is left', async () => {
    await using server = await played((socket, message) => {
      handshake(socket, message)
      if (message.type === TYPE.dataEnd) socket.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))
    })
    await using link = await openHislip(place(server.port), never)
    await link.send('X?')
    await until(() => link.lost.aborted)
    expect(link.lost.reason).toMatchObject({ message: expect.stringContaining('does not begin with HS') })
  })
})
