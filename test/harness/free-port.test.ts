import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from './free-port.ts'

test('a free port is none that Linux gives to a connection', async () => {
  const [lowest] = (await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')).split(/\s/)
  expect(await freePort()).toBeLessThan(Number(lowest))
})

test('nobody else is given it, although nothing listens there', async () => {
  const port = await freePort()
  const draws = [port, port]
  expect(await freePort(() => draws.pop() ?? randomInt(20_000, 32_768))).not.toBe(port)
  expect(draws).toEqual([])
})

test('it is none where another program listens', async () => {
  const other = createServer()
  await once(other.listen(0, '127.0.0.1'), 'listening')
  const address = other.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  await expect(freePort(() => taken)).rejects.toThrow('no port from 20000 to 32768 was free')
  other.close()
})
