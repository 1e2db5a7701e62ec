import { read, write } from 'node:fs'
import { promisify } from 'node:util'
import { SerialPort } from 'serialport'
import { expect, test } from 'vitest'
import { openPseudoTerminal } from '../../native/devices.ts'
import { until } from '../until.ts'

const readMaster = promisify(read)
const writeMaster = promisify(write)

function openPort(path: string): Promise<SerialPort> {
  return new Promise((resolve, reject) => {
    const port: SerialPort = new SerialPort({ path, baudRate: 19_200 }, (error) => (error === null ? resolve(port) : reject(error)))
  })
}

function closePort(port: SerialPort): Promise<void> {
  return new Promise((resolve, reject) => port.close((error) => (error === null || error === undefined ? resolve() : reject(error))))
}

test('serialport and the master of a pseudo-terminal hear each other, byte for byte, and the master outlives its user', async () => {
  const terminal = openPseudoTerminal()
  const everyByte = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte))
  for (let user = 0; user < 2; user += 1) {
    const port = await openPort(terminal.slavePath)
    const heard: Buffer[] = []
    port.on('data', (chunk: Buffer) => heard.push(chunk))
    port.write(everyByte)
    const received: Buffer[] = []
    while (Buffer.concat(received).byteLength < everyByte.byteLength) {
      const chunk = Buffer.alloc(4096)
      const { bytesRead } = await readMaster(terminal.masterFd, chunk, 0, chunk.byteLength, null)
      received.push(chunk.subarray(0, bytesRead))
    }
    expect(Buffer.concat(received)).toEqual(everyByte)
    await writeMaster(terminal.masterFd, everyByte, 0, everyByte.byteLength, null)
    await until(() => Buffer.concat(heard).byteLength === everyByte.byteLength, { what: 'the echo' })
    expect(Buffer.concat(heard)).toEqual(everyByte)
    await closePort(port)
  }
  terminal.close()
  terminal.close()
})

test('closing ends a read that waits on the master', async () => {
  const terminal = openPseudoTerminal()
  const waiting = readMaster(terminal.masterFd, Buffer.alloc(16), 0, 16, null)
  terminal.close()
  // it had begun and got the byte that wakes it, or it had not and found nothing open
  const [end] = await Promise.allSettled([waiting])
  expect(end).toMatchObject(end.status === 'fulfilled' ? { value: { bytesRead: 1 } } : { reason: { code: 'EBADF' } })
})
