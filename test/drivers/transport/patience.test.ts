import { writeSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { ReadStream } from 'node:tty'
import { expect, test } from 'vitest'
import { openSerial } from '../../../drivers/transport/byte-transport.ts'
import { patience } from '../../../drivers/transport/patience.ts'
import { SerialLine } from '../../../drivers/transport/serial-line.ts'
import { openTcp } from '../../../drivers/transport/tcp-transport.ts'
import { openPseudoTerminal } from '../../../native/devices.ts'
import { until } from '../../until.ts'
import { never } from '../bench.ts'

const TIMEOUT_MS = 100
const PROTOCOL = { sendTerminator: '\n', replyTerminator: '\n', timeoutMs: TIMEOUT_MS, gapMs: 0, marker: { command: 'M?', reply: /^mark$/ } }

/** Nothing of this process runs meanwhile. */
function holdUp(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

function over(withinMs: number): Promise<number> {
  return new Promise((resolve) => {
    patience(withinMs, () => resolve(performance.now()))
  })
}

test.each([0, 7, 20, 95])('it is over after %d ms and not before', async (withinMs) => {
  const fromMs = performance.now()
  expect((await over(withinMs)) - fromMs).toBeGreaterThanOrEqual(withinMs)
})

test('what this process was held up for does not count', async () => {
  const ended = over(TIMEOUT_MS)
  holdUp(3 * TIMEOUT_MS)
  const heldUpUntilMs = performance.now()
  expect((await ended) - heldUpUntilMs).toBeGreaterThan(TIMEOUT_MS / 2)
})

test('it is over even for a process that is held up again and again', async () => {
  let isOver = false
  patience(TIMEOUT_MS, () => {
    isOver = true
  })
  await until(() => {
    holdUp(70)
    return isOver
  })
})

test('who ends it hears nothing of it', async () => {
  let told = false
  const end = patience(10, () => {
    told = true
  })
  end()
  await over(50)
  expect(told).toBe(false)
})

test('a reply that came over a serial port while this process was held up is a reply', async () => {
  const pair = openPseudoTerminal()
  const master = pair.giveMaster()
  const stream = new ReadStream(master)
  stream.on('error', () => stream.destroy())
  stream.on('data', () => {
    writeSync(master, '17\n')
    holdUp(3 * TIMEOUT_MS)
  })
  await using line = new SerialLine(await openSerial({ path: pair.slavePath, baudRate: 115_200, flowControl: 'none' }, never), PROTOCOL)
  expect(await line.ask('read', '1?', /^\d+$/, never)).toBe('17')
  stream.destroy()
  pair.close()
})

test('so is one that came over the network', async () => {
  const server: Server = createServer((socket: Socket) =>
    socket.on('data', () => {
      socket.write('17\n')
      holdUp(3 * TIMEOUT_MS)
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  {
    await using line = new SerialLine(await openTcp({ host: '127.0.0.1', port: address.port }, never), PROTOCOL)
    expect(await line.ask('read', '1?', /^\d+$/, never)).toBe('17')
  }
  await new Promise((resolve) => server.close(resolve))
})
