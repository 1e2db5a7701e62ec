import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serveRegisters, serveSocket, serveTerminal } from '../../../drivers/simulation/serve-simulation.ts'
import type { RunningSimulation, SimulationOptions } from '../../../drivers/simulation/simulation.ts'
import { type ByteInstrument, CommandSplitter, type RegisterInstrument } from '../../../drivers/simulation/simulator.ts'
import { openSerial } from '../../../drivers/transport/byte-transport.ts'
import { until } from '../../until.ts'
import { type Bench, never, openBench } from '../bench.ts'

/** Says back what it is told, in capitals; `!` is a command, which is not answered. */
function echo(): ByteInstrument & { readonly provoked: string[] } {
  const splitter = new CommandSplitter(/\n/)
  const provoked: string[] = []
  return {
    provoked,
    errors: ['7'],
    provoke: (code) => void provoked.push(code),
    foreign: () => Buffer.from('FOREIGN\n'),
    receive: (bytes) =>
      Buffer.from(
        splitter
          .take(bytes)
          .filter((command) => command !== '!')
          .map((command) => `${command.toUpperCase()}\n`)
          .join(''),
      ),
  }
}

let bench: Bench
const options = (more: Partial<SimulationOptions> = {}): SimulationOptions => ({ folder: bench.folder, name: 'x', seed: 1, ...more })
beforeEach(async () => {
  bench = await openBench()
})
afterEach(() => bench[Symbol.asyncDispose]())

/** An outside program: it knows bytes only. */
type Program = AsyncDisposable & { say(text: string): Promise<void>; readonly heard: string; readonly lost: () => boolean }

async function program(running: RunningSimulation): Promise<Program> {
  const { entry } = running
  let heard = ''
  if (entry.kind === 'serial') {
    const port = await openSerial({ path: entry.path, baudRate: 9600, flowControl: 'none' }, never)
    port.onBytes((bytes) => {
      heard += Buffer.from(bytes).toString('latin1')
    })
    return {
      say: (text) => port.write(Buffer.from(text)),
      get heard() {
        return heard
      },
      lost: () => port.lost.aborted,
      [Symbol.asyncDispose]: async () => await port[Symbol.asyncDispose](),
    }
  }
  if (entry.kind !== 'tcp') throw new Error(`no program for ${entry.kind}`)
  const socket = await connected(entry.port)
  socket.on('data', (bytes: Buffer) => {
    heard += bytes.toString('latin1')
  })
  return {
    say: async (text) => void socket.write(Buffer.from(text, 'latin1')),
    get heard() {
      return heard
    },
    lost: () => socket.destroyed,
    [Symbol.asyncDispose]: async () => void socket.destroy(),
  }
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

const LINES = [
  ['a pseudo-terminal', (instrument: ByteInstrument) => serveTerminal({ instrument, baudRate: 115_200, devices: [{}] }, options())],
  ['a TCP port', (instrument: ByteInstrument) => serveSocket({ instrument, terminator: '\n', devices: [{}] }, options())],
] as const

describe.each(LINES)('on %s', (_name, serve) => {
  test('every fault is on the wire, one for each reply', async () => {
    const instrument = echo()
    await using running = await serve(instrument)
    await using outside = await program(running)
    running.inject({ kind: 'silent' }, { kind: 'foreign' }, { kind: 'garbage' }, { kind: 'cut' }, { kind: 'error', code: '7' }, { kind: 'late', byMs: 50 })
    expect(running.faultsLeft).toBe(6)
    await outside.say('one\n')
    await until(() => running.faultsLeft === 5)
    await outside.say('!\n') // no reply, no fault
    await outside.say('two\n')
    await until(() => outside.heard === 'FOREIGN\n')
    await outside.say('three\n')
    await until(() => outside.heard === 'FOREIGN\n\u0001\u001d\u0007\u0010\u0010_')
    await outside.say('four\n')
    await until(() => outside.heard.endsWith('FO') && running.faultsLeft === 2)
    expect(instrument.provoked).toEqual([])
    await outside.say('five\n')
    await until(() => running.faultsLeft === 0)
    expect(instrument.provoked).toEqual(['7'])
    await outside.say('six\n')
    await until(() => outside.heard.endsWith('FOFIVE\nSIX\n')) // in order: what follows a late reply is later still
  })

  test('who is connected loses an unplugged instrument, and finds it again at the same address', async () => {
    await using running = await serve(echo())
    {
      await using outside = await program(running)
      await running.unplug()
      await until(outside.lost)
      await expect(program(running)).rejects.toThrow()
    }
    await running.plugIn()
    await running.plugIn()
    await using again = await program(running)
    await again.say('here\n')
    await until(() => again.heard === 'HERE\n')
  })
})

describe('on a TCP port', () => {
  test('halves of commands of two clients are not put together', async () => {
    await using running = await serveSocket({ instrument: echo(), terminator: '\n', devices: [] }, options())
    await using one = await program(running)
    await using two = await program(running)
    await one.say('on')
    await two.say('two\n')
    await until(() => two.heard === 'TWO\n')
    await one.say('e\n')
    await until(() => one.heard === 'ONE\n')
  })

  test('the port that is wanted is taken, or the start fails', async () => {
    await using first = await serveSocket({ instrument: echo(), terminator: '\n', devices: [] }, options())
    const port = first.entry.kind === 'tcp' ? first.entry.port : 0
    await expect(serveSocket({ instrument: echo(), terminator: '\n', devices: [] }, options({ port }))).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await first[Symbol.asyncDispose]()
    await using second = await serveSocket({ instrument: echo(), terminator: '\n', devices: [] }, options({ port }))
    expect(second.entry).toEqual({ kind: 'tcp', host: '127.0.0.1', port })
  })
})

describe('on a pseudo-terminal', () => {
  test('bytes take their time at the rate of the line, and a factor makes it short', async () => {
    const tookMs = async (text: string, lineFactor: number): Promise<number> => {
      await using running = await serveTerminal({ instrument: echo(), baudRate: 300, devices: [{}] }, options({ lineFactor }))
      await using outside = await program(running)
      const startMs = performance.now()
      await outside.say(`${text}\n`)
      await until(() => outside.heard === `${text}\n`, { everyMs: 1, deadlineMs: 10_000 })
      return performance.now() - startMs
    }
    expect(await tookMs('0123456', 1)).toBeGreaterThan((16 * 10 * 1000) / 300 - 40) // eight bytes each way, ten bits each
    await tookMs('0'.repeat(200), 1000) // 13 seconds at the line's own rate: longer than anybody waits here
  })

  test('commands that are written at once are answered one by one, each when it has come', async () => {
    const instrument = echo()
    const heard: string[] = []
    const { receive } = instrument
    instrument.receive = (bytes, seconds) => {
      heard.push(Buffer.from(bytes).toString())
      return receive(bytes, seconds)
    }
    await using running = await serveTerminal({ instrument, baudRate: 115_200, devices: [{}] }, options())
    await using outside = await program(running)
    running.inject({ kind: 'silent' })
    await outside.say('one\ntwo\n')
    await until(() => outside.heard === 'TWO\n')
    expect(heard).toEqual([...'one\ntwo\n'])
  })

  test('the link is there while it is plugged in', async () => {
    const running = await serveTerminal({ instrument: echo(), baudRate: 9600, devices: [{}] }, options())
    const path = running.entry.kind === 'serial' ? running.entry.path : ''
    expect(existsSync(path)).toBe(true)
    await running[Symbol.asyncDispose]()
    expect(existsSync(path)).toBe(false)
  })
})

describe('on a Modbus TCP port', () => {
  const registers = (): RegisterInstrument & { readonly words: number[] } => {
    const words = Array.from({ length: 100 }, (_, at) => at)
    return {
      words,
      size: 100,
      read: (at, count) => words.slice(at, at + count),
      write: (at, value) => {
        words[at] = value
      },
    }
  }
  /** Frames as hexadecimal: header and request in, whole answers out. */
  const modbus = async (running: RunningSimulation) => {
    const outside = await program(running)
    let taken = 0
    return {
      outside,
      ask: async (frame: string) => {
        await outside.say('')
        taken = outside.heard.length
        if (running.entry.kind === 'tcp') await outside.say(Buffer.from(frame.replaceAll(' ', ''), 'hex').toString('latin1'))
      },
      answer: async () => {
        await until(() => outside.heard.length >= taken + 6 && outside.heard.length >= taken + 6 + outside.heard.charCodeAt(taken + 5))
        return Buffer.from(outside.heard.slice(taken), 'latin1').toString('hex')
      },
      [Symbol.asyncDispose]: async () => await outside[Symbol.asyncDispose](),
    }
  }

  test.each([
    ['reads holding registers', '0001 0000 0006 01 03 0005 0002', '0001000000070103040005' + '0006'],
    ['reads input registers', '0001 0000 0006 01 04 0005 0001', '0001000000050104020005'],
    ['writes one', '0002 0000 0006 01 06 0007 0041', '000200000006010600070041'],
    ['writes several', '0003 0000 000b 01 10 0003 0002 04 0001 0002', '000300000006011000030002'],
    ['masks one', '0004 0000 0008 01 16 0004 000f 0020', '0004000000080116000' + '4000f0020'],
    ['writes and reads', '0005 0000 000d 01 17 0001 0001 0001 0001 02 0009', '0005000000050117020009'],
    ['refuses what is outside', '0006 0000 0006 01 03 0063 0002', '000600000003018302'],
    ['refuses too many', '0007 0000 0006 01 03 0000 007e', '000700000003018303'],
    ['refuses an unknown function', '0008 0000 0002 01 2b', '00080000000301ab01'],
  ])('%s', async (_what, request, answer) => {
    await using running = await serveRegisters({ instrument: registers(), devices: [{}] }, options())
    await using client = await modbus(running)
    await client.ask(request)
    expect(await client.answer()).toBe(answer)
  })

  test('every fault is on the wire', async () => {
    const instrument = registers()
    await using running = await serveRegisters({ instrument, devices: [{}] }, options())
    expect(running.errors).toEqual(['1', '2', '3', '4', '5', '6', '11'])
    await using client = await modbus(running)
    const read = '0009 0000 0006 01 03 0005 0002'
    running.inject({ kind: 'foreign' }, { kind: 'cut' }, { kind: 'garbage' }, { kind: 'error', code: '6' }, { kind: 'silent' })
    await client.ask(read)
    expect(await client.answer()).toBe('400900000007020304' + '55505553') // another transaction, another unit, other values
    await client.ask(read)
    expect(await client.answer()).toBe('000900000004010304' + '00') // a whole frame with half an answer in it
    await client.ask(read)
    expect((await client.answer()).startsWith('00090000000701')).toBe(true)
    await client.ask(read)
    expect(await client.answer()).toBe('000900000003018306')
    await client.ask('0009 0000 0006 01 06 0005 0041')
    await until(() => running.faultsLeft === 0 && instrument.words[5] === 0x41) // done, though nobody says so
    await client.ask(read)
    expect(await client.answer()).toBe('00090000000701030400410006')
  })

  test('who does not speak Modbus is cut off', async () => {
    await using running = await serveRegisters({ instrument: registers(), devices: [{}] }, options())
    await using outside = await program(running)
    await outside.say('GET / HTTP/1.1\r\n')
    await until(outside.lost)
  })
})
