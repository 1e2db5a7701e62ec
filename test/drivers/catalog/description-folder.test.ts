import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InvalidValue } from '../../../core/errors.ts'
import type { DescriptionFormat } from '../../../drivers/catalog/description.ts'
import { driverOfDescription } from '../../../drivers/catalog/description-file.ts'
import { openDescriptionFolder } from '../../../drivers/catalog/description-folder.ts'
import type { DriverSource } from '../../../drivers/catalog/driver-catalog.ts'
import { until } from '../../until.ts'

/** The smallest format: `id:` on the second line, `version:` on the third. */
const toy: DescriptionFormat = {
  protocol: 'toy',
  driverOf(text, file) {
    const lines = text.split('\n')
    const at = lines.findIndex((line) => line.startsWith('id: '))
    const id = lines[at]?.slice(4) ?? ''
    if (!/^[a-z-]+$/.test(id)) throw new InvalidValue(`${file}:${at + 1}:5: id ${id} is not allowed`, ['id'])
    return {
      id,
      vendor: 'Toy',
      model: id,
      version: lines.find((line) => line.startsWith('version: '))?.slice(9) ?? '1',
      portKind: 'TCP',
      settings: [],
      capabilities: [],
      locate: () => ({ address: 'tcp://127.0.0.1:1' }),
      openPort: () => Promise.reject(new Error('not opened here')),
      openDevice: () => Promise.reject(new Error('not opened here')),
    }
  },
}

describe('a description', () => {
  const read = (text: string) => () => driverOfDescription([toy], text, 'bench.yaml')

  it.each([
    ['', 'bench.yaml:1:1: give keys with values, one on each line'],
    ['id: x\n', 'bench.yaml:1:1: protocol is missing: one of toy'],
    ['id: x\nprotocol: morse\n', 'bench.yaml:2:11: protocol: "morse" is not allowed; choose one of toy'],
    ['protocol: [toy]\n', 'bench.yaml:1:11: protocol: this is not allowed; choose one of toy'],
    ['protocol: toy\nid: "x\n', 'bench.yaml:3:1: Missing closing "quote'],
    ['protocol: toy\nprotocol: toy\n', 'bench.yaml:2:1: Map keys must be unique'],
    ['protocol: toy\nid: X9\n', 'bench.yaml:2:5: id X9 is not allowed'],
  ])('%j is refused with its line', (text, message) => {
    expect(read(text)).toThrow(InvalidValue)
    expect(read(text)).toThrow(message)
  })
})

describe('a folder of descriptions', () => {
  let folder: string
  let source: DriverSource & AsyncDisposable
  const log: string[] = []
  const ids = (): string[] => source.drivers.map(({ id, version }) => `${id} ${version}`)
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text)

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'descriptions-')), 'instruments')
    log.length = 0
  })
  afterEach(async () => {
    await source[Symbol.asyncDispose]()
    await rm(join(folder, '..'), { recursive: true, force: true })
  })
  const open = async (): Promise<void> => {
    source = await openDescriptionFolder({
      name: 'instrument descriptions',
      folder,
      formats: [toy],
      log: (line) => log.push(line),
      warn: (line) => log.push(line),
    })
  }

  it('is made when it is missing, and read while it is watched', async () => {
    await open()
    expect(ids()).toEqual([])
    await write('b.yaml', 'protocol: toy\nid: b\n')
    await write('.hidden.yaml', 'nonsense')
    await write('notes.txt', 'nonsense')
    await until(() => ids().join() === 'b 1')
    await write('a.yaml', 'protocol: toy\nid: a\n')
    await until(() => ids().join() === 'a 1,b 1')
    expect(source.problems).toEqual([])
  })

  it('keeps the last good version of a file that is broken, and says on which line', async () => {
    await mkdir(folder)
    await write('meter.yaml', 'protocol: toy\nid: meter\nversion: 1\n')
    await write('other.yaml', 'protocol: toy\nid: other\n')
    await open()
    const [meter, other] = source.drivers
    let changes = 0
    source.onChange(() => {
      changes += 1
    })
    await write('meter.yaml', 'protocol: toy\nid: METER\nversion: 2\n')
    await until(() => source.problems.length === 1)
    expect(source.problems).toEqual(['meter.yaml:2:5: id METER is not allowed'])
    expect(source.drivers[0]).toBe(meter)
    expect(log).toEqual(['instrument descriptions: meter.yaml:2:5: id METER is not allowed; its last good version goes on'])
    await write('meter.yaml', 'protocol: toy\nid: meter\nversion: 2\n')
    await until(() => ids().includes('meter 2'))
    expect(source.problems).toEqual([])
    expect(source.drivers[1]).toBe(other) // the same version: nobody connects again
    expect(changes).toBe(2)
  })

  it('reports a file that is broken from the start, and serves the rest', async () => {
    await mkdir(folder)
    await write('a.yaml', 'protocol: morse\n')
    await write('b.yaml', 'protocol: toy\nid: b\n')
    await open()
    expect(ids()).toEqual(['b 1'])
    expect(source.problems).toEqual(['a.yaml:1:11: protocol: "morse" is not allowed; choose one of toy'])
  })

  it('forgets what is removed, and finds a folder that was replaced', async () => {
    await mkdir(folder)
    await write('a.yaml', 'protocol: toy\nid: a\n')
    await write('b.yaml', 'protocol: toy\nid: b\n')
    await open()
    await rm(join(folder, 'a.yaml'))
    await until(() => ids().join() === 'b 1')
    await rename(folder, `${folder}-old`)
    await mkdir(folder)
    await write('c.yaml', 'protocol: toy\nid: c\n')
    await until(() => ids().join() === 'c 1', { deadlineMs: 15_000 })
  })

  it('refuses a file of a size that no description has', async () => {
    await mkdir(folder)
    await write('big.yaml', `protocol: toy\n${'#'.repeat(1024 * 1024)}\n`)
    await open()
    expect(source.problems).toEqual(['big.yaml is too long: 1048591 bytes; 1048576 are allowed'])
  })
})

it('what came with the program is read once, with its folders, and may be absent', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'descriptions-'))
  await mkdir(join(folder, 'meters'))
  await writeFile(join(folder, 'meters', 'a.yaml'), 'protocol: toy\nid: a\n')
  const options = { name: 'built-in descriptions', formats: [toy], fixed: true, log: () => undefined, warn: () => undefined }
  await using there = await openDescriptionFolder({ ...options, folder })
  await using absent = await openDescriptionFolder({ ...options, folder: join(folder, 'nothing') })
  expect(there.drivers.map(({ id }) => id)).toEqual(['a'])
  expect([absent.drivers, absent.problems]).toEqual([[], []])
  await rm(folder, { recursive: true })
})
