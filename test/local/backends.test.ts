import { createServer, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { checkDatabase, checkNeo4j, checkRedis } from '../../local/backends.ts'
import { startEmptyDatabase } from '../harness/database.ts'
import { freePort } from '../harness/free-port.ts'

const servers: Server[] = []
afterEach(() => Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve)))))

/** Answers as a Redis with the password `right`. */
async function fakeRedis(): Promise<number> {
  const server = createServer((socket) => {
    let authenticated = false
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      for (const command of chunk.toString().split(/(?=\*\d)/)) {
        if (command.includes('AUTH')) {
          authenticated = command.includes('\r\nright\r\n')
          socket.write(authenticated ? '+OK\r\n' : '-WRONGPASS invalid username-password pair\r\n')
        } else socket.write(authenticated ? '+PONG\r\n' : '-NOAUTH Authentication required.\r\n')
      }
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('a server named by URL', () => {
  it('that answers is taken', async () => {
    const database = await startEmptyDatabase()
    await checkDatabase(database.url)
    await database.stop()
    await checkRedis(`redis://:right@127.0.0.1:${await fakeRedis()}`)
  })

  it('that is too old is named with its version', async () => {
    const database = await startEmptyDatabase()
    await expect(checkDatabase(database.url, 99)).rejects.toThrow(/^DATABASE_URL postgresql:\/\/\S+ names PostgreSQL \d\d; 99 or newer is needed$/)
    await database.stop()
  })

  it('that is away is named, without its password', async () => {
    const port = await freePort()
    await expect(checkDatabase(`postgresql://anna:secret@127.0.0.1:${port}/lab`)).rejects.toThrow(
      `DATABASE_URL postgresql://anna:***@127.0.0.1:${port}/lab cannot be used: connect ECONNREFUSED 127.0.0.1:${port}`,
    )
    await expect(checkRedis(`redis://:secret@127.0.0.1:${port}`)).rejects.toThrow(
      `REDIS_URL redis://:***@127.0.0.1:${port} cannot be used: connect ECONNREFUSED`,
    )
    const server = { url: `bolt://127.0.0.1:${port}`, user: 'anna', password: 'secret' }
    await expect(checkNeo4j(server)).rejects.toThrow(`NEO4J_URL bolt://127.0.0.1:${port} cannot be used by anna: Neo4j: connect ECONNREFUSED 127.0.0.1:${port}`)
    await expect(checkNeo4j(server)).rejects.not.toThrow('secret')
  })

  it('that refuses the password is named with its own words', async () => {
    const port = await fakeRedis()
    await expect(checkRedis(`redis://:wrong@127.0.0.1:${port}`)).rejects.toThrow('WRONGPASS invalid username-password pair')
    await expect(checkRedis(`redis://127.0.0.1:${port}`)).rejects.toThrow('NOAUTH Authentication required.')
  })
})
