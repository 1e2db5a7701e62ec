import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeviceOffline, HardwareFault, InvalidValue, messageOf } from '../../../core/errors.ts'
import type { DeviceHandle, Driver, DriverContext, DriverPort } from '../../../drivers/driver.ts'
import { nativeLibrary } from '../../../drivers/plugins/native-library.ts'
import { systemClock } from '../../../workers/station/clock.ts'
import { until } from '../../until.ts'
import { compileLibrary } from './library/compile.ts'
import { pluginFolder } from './plugin-folder.ts'

const signal = new AbortController().signal
const HANGS_AFTER_MS = 300
let folder: string
let library: string
let driver: Driver
let context: DriverContext

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'library-'))
  library = join(folder, 'libcounter.so')
  await compileLibrary('counter.c', library)
  await compileLibrary('counter.c', join(folder, 'libnext.so'), '-DCOUNTER_API=2')
  await compileLibrary('counter.c', join(folder, 'libhalf.so'), '-Dkymograph_write=renamed')
  driver = counter(library)
  context = {
    clock: systemClock(),
    resolve: async () => ({ kind: 'library', path: library, simulated: true }),
    log: () => undefined,
    workFolder: folder,
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function counter(path: string): Driver {
  return nativeLibrary({ id: 'acme-counter', vendor: 'Acme', model: 'Counter', version: '1.0.0', path, readout: 'count', callWithinMs: HANGS_AFTER_MS })
}

type Opened = AsyncDisposable & { readonly port: DriverPort; readonly device: DeviceHandle }

async function open(address: string, of: Driver = driver): Promise<Opened> {
  const port = await of.openPort({ address }, context, signal)
  const device = await of.openDevice(port, { address }, context, signal)
  return {
    port,
    device,
    async [Symbol.asyncDispose]() {
      await device[Symbol.asyncDispose]()
      await port[Symbol.asyncDispose]()
    },
  }
}

async function read({ device }: Opened, name: string): Promise<unknown> {
  return (await device.read([name], signal)).get(name)
}

describe('a shared library behind the C header', () => {
  it('is a driver: it says what it is, is read, set and read back', async () => {
    expect(driver).toMatchObject({ portKind: 'NATIVE', capabilities: ['READABLE', 'PARAMETERIZED', 'SETTABLE'] })
    await using counter = await open('here')
    const { device } = counter
    expect(device.identity).toBe('Counter in C')
    expect(device.readout).toEqual({ parameter: 'count' })
    expect(device.parameters[0]).toEqual({
      ...{ name: 'count', description: 'What was counted', kind: 'FLOAT', access: 'READ_WRITE', unit: 'V', minimum: 0, maximum: 100, pollMs: 50 },
    })
    expect(await read(counter, 'count')).toEqual({ value: 7 })
    expect(await device.write?.('count', 8.25, signal)).toBe(8.25)
    expect(await device.write?.('label', 'Zähler', signal)).toBe('Zähler')
    expect(await device.write?.('enabled', true, signal)).toBe(true)
    expect(await device.write?.('trigger', 3, signal)).toBe(3)
    expect(await read(counter, 'settings')).toEqual({ value: '{"address":"here"}' })
  })

  it('describes itself in as many bytes as it needs', async () => {
    await using counter = await open('talkative')
    expect(counter.device.parameters).toHaveLength(11)
  })

  it('gives no value for what failed, was forgotten or is of another kind', async () => {
    await using counter = await open('here')
    expect(await read(counter, 'broken')).toEqual({ bad: 'the counter reports error 42' })
    expect(await read(counter, 'forgotten')).toEqual({ bad: expect.stringContaining('which is no FLOAT') })
    expect(await read(counter, 'wrong')).toEqual({ bad: 'the driver gave "", which is no FLOAT' })
  })

  it('says whether the hardware may have acted', async () => {
    await using counter = await open('here')
    const refused = await counter.device.write?.('label', 'x'.repeat(64), signal).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'HARDWARE_FAULT', message: 'a label has at most 63 bytes', effect: 'NONE' })
    const failed = await counter.device.write?.('count', 13, signal).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'HARDWARE_FAULT', message: '13 is bad luck', effect: 'POSSIBLE' })
  })

  it('loses its line when it says so', async () => {
    await using counter = await open('here')
    await expect(read(counter, 'lost')).rejects.toThrow('the cable was pulled')
    expect(counter.port.lost.aborted).toBe(true)
  })

  it('is closed with its device', async () => {
    process.env['COUNTER_LOG'] = join(folder, 'closed.log')
    await using counter = await open('here')
    await counter[Symbol.asyncDispose]()
    delete process.env['COUNTER_LOG']
    expect(await readFile(join(folder, 'closed.log'), 'utf8')).toBe('closed\n')
    await expect(read(counter, 'count')).rejects.toThrow('closed')
  })

  it('is simulated by another library, which the address book names', async () => {
    await using simulated = await open('sim://counter', counter('/nowhere/libcounter.so'))
    expect(await read(simulated, 'count')).toEqual({ value: 7 })
  })
})

describe('a call that does not return', () => {
  it('holds up nobody else, makes its device go away, and is waited for before the device is opened again', async () => {
    const file = join(folder, 'hanging')
    await writeFile(file, '')
    const hanging = await open(file)
    await using other = await open('here')
    const asked = read(hanging, 'hang')
    for (let at = 0; at < 20; at += 1) expect(await read(other, 'count')).toEqual({ value: 7 }) // more than the thread pool has threads
    expect(await readFile(library)).toBeDefined() // and files are read meanwhile
    await expect(asked).rejects.toThrow(`kymograph_read did not return within ${HANGS_AFTER_MS} ms`)
    expect(hanging.port.lost.aborted).toBe(true)
    await hanging[Symbol.asyncDispose]() // does not wait either
    await expect(open(file)).rejects.toThrow('kymograph_read has not returned yet')

    await rm(file)
    const again = await until(() => open(file).catch(() => undefined), { what: 'it may be opened again' })
    await again[Symbol.asyncDispose]()
  })

  it('is overtaken by an emergency stop', async () => {
    const file = join(folder, 'moving')
    await writeFile(file, '')
    await using counter = await open(file)
    const asked = read(counter, 'hang')
    await turn() // it is in the library now
    const waiting = counter.device.write?.('count', 1, signal).catch(messageOf)
    const stopped = await counter.device.emergencyStop?.(signal)
    expect(await waiting).toBe('interrupted by an emergency stop')
    await rm(file) // the call returns in time
    expect(await asked).toEqual({ value: 7 })
    expect(await stopped?.confirmed).toBe(false)
    expect(await read(counter, 'stops')).toEqual({ value: 1 })
  })

  it('does not keep its process from ending', async () => {
    await using plugin = await pluginFolder()
    const file = join(plugin.folder, 'hanging')
    await writeFile(file, '')
    const script = fileURLToPath(new URL('library/exit-while-hanging.ts', import.meta.url))
    const said = await new Promise<string>((resolve) =>
      execFile(process.execPath, ['--import', 'tsx', script, library, file], (_, out, err) => resolve(out + err)),
    )
    expect(said).toBe('asked\n')
  })
})

describe('a library is refused in words', () => {
  it.each([
    ['that is not there', () => '/nowhere/libcounter.so', 'cannot load the library: /nowhere/libcounter.so: cannot open shared object file'],
    ['that is none', () => join(import.meta.dirname, 'library/counter.c'), 'cannot load the library: '],
    ['of another version', () => join(folder, 'libnext.so'), 'is written for driver API 2; this is driver API 1'],
    ['without a function', () => join(folder, 'libhalf.so'), 'is not a library for this program: it has no function kymograph_write'],
  ])('%s', async (_, path, problem) => {
    const opening = open('here', counter(path()))
    await expect(opening).rejects.toThrow(HardwareFault)
    await expect(opening).rejects.toThrow(problem)
  })

  it.each([
    ['nobody', DeviceOffline, 'nobody answers at this address'],
    ['silent', HardwareFault, 'kymograph_open failed without a word (2)'],
    ['mumbles', HardwareFault, 'kymograph_describe wrote no description: '],
  ])('that opens %s', async (address, type, problem) => {
    const opening = open(address)
    await expect(opening).rejects.toThrow(type)
    await expect(opening).rejects.toThrow(problem)
  })

  it('when a setting is missing or unknown', () => {
    expect(() => driver.locate({})).toThrow(InvalidValue)
    expect(() => driver.locate({ address: 'here', speed: 1 })).toThrow('speed is not a setting of this driver; it knows address')
  })
})
