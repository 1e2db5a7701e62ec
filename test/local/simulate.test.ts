import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Simulation } from '../../drivers/simulation/simulation.ts'
import { SIMULATIONS } from '../../drivers/simulations.ts'
import { openSerial } from '../../drivers/transport/byte-transport.ts'
import { readArguments } from '../../local/simulate/arguments.ts'
import { parseLine } from '../../local/simulate/typed-line.ts'
import { until } from '../until.ts'

const MAIN = path.join(import.meta.dirname, '../../dist/local/simulate/main.js')
const never = new AbortController().signal

describe('what is typed', () => {
  test.each([
    ['silent', { fault: { kind: 'silent' } }],
    ['  late   500 ', { fault: { kind: 'late', byMs: 500 } }],
    ['error 213', { fault: { kind: 'error', code: '213' } }],
    ['unplug', 'unplug'],
    ['plug', 'plug'],
    ['late', undefined],
    ['late soon', undefined],
    ['late -1', undefined],
    ['error', undefined],
    ['silent twice', undefined],
    ['', undefined],
  ])('%j', (line, typed) => expect(parseLine(line)).toEqual(typed))
})

describe('the arguments', () => {
  const stages: Simulation = { driverId: 'stages', description: 'stages', start: () => Promise.reject(new Error('not here')) }
  const laser: Simulation = { ...stages, driverId: 'laser', variants: { new: 'fast', old: 'slow' } }
  const read = (...args: string[]) => readArguments(args, [stages])

  test('name a simulation, and have defaults', () => {
    expect(read()).toBeUndefined()
    expect(read('stages')).toEqual({ simulation: stages, name: 'stages', seed: 1, faults: [] })
    expect(readArguments(['laser', '--variant', 'old'], [laser])).toMatchObject({ variant: 'old' })
    expect(read('stages', '--seed', '7', '--port', '5025', '--name', 'two', '--folder', '/x', '--fault', 'late 5', '--fault', 'cut')).toMatchObject({
      seed: 7,
      port: 5025,
      name: 'two',
      folder: '/x',
      faults: [{ kind: 'late', byMs: 5 }, { kind: 'cut' }],
    })
  })

  test.each([
    [['esp301'], 'there is no simulation of "esp301"; choose one of stages'],
    [['--seed', '1'], 'no driver was named'],
    [['stages', 'stages'], 'one simulation at a time'],
    [['stages', '--port', '0'], '--port is "0"; give a whole number from 1 to 65535'],
    [['stages', '--seed', ''], '--seed'],
    [['stages', '--name', '../x'], '--name'],
    [['stages', '--fault', 'unplug'], '--fault'],
    [['stages', '--sead', '1'], '--sead'],
    [['stages', '--variant', 'old'], 'stages has no variants'],
  ])('%j are refused with what is allowed', (args, reason) => expect(() => read(...args)).toThrow(reason))

  test('name a variant that there is', () => expect(() => readArguments(['laser', '--variant', 'older'], [laser])).toThrow('choose one of new, old'))
})

describe('the command', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kymograph-simulate-test-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  /** As a person runs it, with its temporary files in our folder. */
  function run(...args: string[]) {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, TMPDIR: folder }, stdio: 'pipe' })
    const said = { out: '', err: '' }
    child.stdout.on('data', (bytes: Buffer) => {
      said.out += bytes.toString()
    })
    child.stderr.on('data', (bytes: Buffer) => {
      said.err += bytes.toString()
    })
    const ended = once(child, 'close').then(([status]: unknown[]) => status)
    return {
      said,
      ended,
      type: (line: string) => child.stdin.write(`${line}\n`),
      /** Ctrl-C. */
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGINT')
        await ended
      },
    }
  }
  const addressIn = async (said: { readonly out: string; readonly err: string }, pattern: RegExp): Promise<string> =>
    await until(() => pattern.exec(said.out)?.[1], { what: `the address in ${said.err}` })

  test('lists every simulation', async () => {
    await using listing = run()
    expect(await listing.ended).toBe(0)
    for (const { driverId, description } of SIMULATIONS) {
      expect(listing.said.out).toContain(driverId)
      expect(listing.said.out).toContain(description)
    }
  })

  test('says in a sentence that there is no such simulation, and which there are', async () => {
    await using unknown = run('esp301')
    expect(await unknown.ended).not.toBe(0)
    expect(unknown.said.err.trim().split('\n')).toHaveLength(1)
    expect(unknown.said.err).toContain('newport-esp300')
  })

  test('refuses an error that the instrument does not know, knows its silent troubles, and leaves nothing', async () => {
    await using unknown = run('dome-rotator', '--folder', folder, '--fault', 'error 7')
    expect(await unknown.ended).not.toBe(0)
    expect(unknown.said.err).toContain('7 is no documented error of it; it knows BUSY')
    expect(readdirSync(folder)).toEqual([])
    await using frozen = run('dome-rotator', '--fault', 'error frozen')
    expect(await addressIn(frozen.said, /troubles\s+(.*)\n/)).toContain('frozen, switch')
  })

  test('a serial instrument answers an outside program, suffers what is typed, comes back, and leaves nothing', async () => {
    {
      await using stages = run('newport-esp300', '--fault', 'silent')
      const address = await addressIn(stages.said, /address\s+serial:\/\/(\S+)/)
      await until(() => stages.said.out.includes('"axis":3'))
      {
        await using port = await openSerial({ path: address, baudRate: 19_200, flowControl: 'none' }, never)
        let heard = ''
        port.onBytes((bytes) => {
          heard += Buffer.from(bytes).toString('latin1')
        })
        const ask = (text: string) => port.write(Buffer.from(`${text}\r`, 'latin1'))
        await ask('VE?') // suffers the fault given at the start
        await ask('2TP?')
        await until(() => heard.includes('\n'))
        expect(heard).not.toContain('ESP300')
        await ask('2PA1.5')
        await until(() => stages.said.out.includes('accepted 2PA1.5'))
        stages.type('error 38')
        await until(() => stages.said.out.includes('error 38: waits'))
        heard = ''
        await ask('TE?')
        await until(() => heard.startsWith('38'))
        stages.type('make coffee')
        await until(() => stages.said.err.includes('"make coffee" is not understood'))
        stages.type('unplug')
        await until(() => port.lost.aborted)
        expect(existsSync(address)).toBe(false)
      }
      stages.type('plug')
      await until(() => existsSync(address))
      await using again = await openSerial({ path: address, baudRate: 19_200, flowControl: 'none' }, never)
      let heard = ''
      again.onBytes((bytes) => {
        heard += Buffer.from(bytes).toString('latin1')
      })
      await again.write(Buffer.from('VE?\r'))
      await until(() => heard.includes('ESP300'))
    }
    expect(readdirSync(folder)).toEqual([])
  })

  test.each(SIMULATIONS.map(({ driverId }) => driverId))('%s starts alone, says where it is, and leaves nothing', async (driverId) => {
    {
      await using alone = run(driverId, '--seed', '3')
      await addressIn(alone.said, /address\s+(\w+:\/\/\S+)/)
      await until(() => alone.said.out.includes(`register    ${driverId} {"address"`))
    }
    expect(readdirSync(folder)).toEqual([])
  })

  test('a Modbus device answers a client of its own, at the port that was wanted', async () => {
    await using saw = run('smart-saw')
    const port = Number(await addressIn(saw.said, /address\s+tcp:\/\/127\.0\.0\.1:(\d+)/))
    const client = connect(port, '127.0.0.1')
    try {
      client.write(Buffer.from('00010000000601' + '0303e80001', 'hex')) // one holding register at 1000
      const [answer] = (await once(client, 'data')) as [Buffer]
      expect(answer.subarray(0, 9).toString('hex')).toBe('000100000005010302')
      expect(answer.readUInt16BE(9)).toBe(42)
      await using taken = run('smart-saw', '--port', String(port))
      expect(await taken.ended).not.toBe(0)
      expect(taken.said.err).toContain('EADDRINUSE')
    } finally {
      client.destroy()
    }
  })
})
