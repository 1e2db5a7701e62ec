import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ReadStream } from 'node:tty'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openSerial } from '../../../drivers/transport/byte-transport.ts'
import { openPseudoTerminal } from '../../../native/devices.ts'
import { until } from '../../until.ts'
import { never } from '../bench.ts'

const MOST_THREADS = 16 // Node's pool has 4, and UV_THREADPOOL_SIZE in the image

let folder: string
let pair: ReturnType<typeof openPseudoTerminal>
let instrument: ReadStream
let master: number
const heard: Buffer[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kymograph-serial-'))
  pair = openPseudoTerminal()
  master = pair.giveMaster()
  instrument = new ReadStream(master)
  instrument.on('error', () => instrument.destroy())
  instrument.on('data', (bytes) => heard.push(bytes))
  heard.length = 0
})
afterEach(async () => {
  instrument.destroy()
  pair.close()
  await rm(folder, { recursive: true })
})

const heardBytes = () => Buffer.concat(heard)

it('a serial port is spoken over while every thread of the pool is held up', async () => {
  await using port = await openSerial({ path: pair.slavePath, baudRate: 115_200, flowControl: 'none' }, never)
  const said: Uint8Array[] = []
  port.onBytes((bytes) => said.push(bytes))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const held = Array.from({ length: MOST_THREADS }, () => open(pipe, 'r')) // each waits in its thread for one who writes
  try {
    const written = port.write(Buffer.from('ST\r'))
    await until(() => heardBytes().equals(Buffer.from('ST\r')), { what: 'the stop at the instrument' })
    writeSync(master, 'OK\r')
    await until(() => Buffer.concat(said).equals(Buffer.from('OK\r')), { what: 'the answer' })
    await written
  } finally {
    const writer = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
    for (const file of await Promise.all(held)) await file.close()
    closeSync(writer)
  }
})

it('what is more than the line takes at once arrives whole', async () => {
  await using port = await openSerial({ path: pair.slavePath, baudRate: 115_200, flowControl: 'none' }, never)
  const long = Buffer.from(Array.from({ length: 100_000 }, (_, at) => 97 + (at % 26)))
  instrument.pause()
  const sent = port.write(long)
  instrument.resume()
  await sent
  await until(() => heardBytes().length === long.length, { what: 'all of it at the instrument' })
  expect(heardBytes().equals(long)).toBe(true)
})
