import { describe, expect, it } from 'vitest'
import { databaseSocketFolder, readConfig, withoutPassword } from '../../local/config.ts'

const read = (env: NodeJS.ProcessEnv) => readConfig(env, '/project')

describe('the configuration of npm start', () => {
  it('has a default for everything', () => {
    expect(read({})).toEqual({
      dataDir: '/project/data',
      labDir: '/project/data/lab',
      simulatedLab: true,
      host: '127.0.0.1',
      port: 4000,
      stationName: 'local',
      logLevel: 'info',
      databaseUrl: undefined,
      redisUrl: undefined,
      graph: { socketPath: '/project/data/run/graph.sock' },
      databaseSocketFolder: '/project/data/run/db',
      commit: '',
    })
  })

  it('takes an empty variable as not set', () => {
    expect(read({ PORT: '', DATABASE_URL: '', SIMULATED_LAB: '' })).toEqual(read({}))
  })

  it.each([
    [{ PORT: '0' }, 'PORT is "0"; allowed is a number from 1 to 65535'],
    [{ PORT: '4000x' }, 'PORT is "4000x"; allowed is a number from 1 to 65535'],
    [{ SIMULATED_LAB: 'no' }, 'SIMULATED_LAB is "no"; allowed are on, off'],
    [{ STATION_NAME: '../x' }, 'STATION_NAME is "../x"; allowed are 1 to 32 small letters, digits and hyphens'],
    [{ DATABASE_URL: 'mysql://u:secret@h/d' }, 'DATABASE_URL begins with mysql://; allowed is postgres:// or postgresql://'],
    [{ NEO4J_URL: 'http://h' }, 'NEO4J_URL begins with http://; allowed are neo4j://, neo4j+s://'],
    [{ NEO4J_URL: 'bolt://anna:secret@h' }, 'NEO4J_URL holds a user name; it belongs in NEO4J_USER, the password in NEO4J_PASSWORD'],
    [{ REDIS_URL: 'secret' }, 'REDIS_URL is not a URL; it begins with redis:// or rediss://'],
  ])('refuses %o', (env, sentence) => {
    expect(() => read(env)).toThrow(sentence)
  })

  it('never shows a password', () => {
    expect(withoutPassword('postgresql://anna:secret@host:5432/lab')).toBe('postgresql://anna:***@host:5432/lab')
  })

  it('finds a short place for the database socket when the data folder lies deep', () => {
    const folder = databaseSocketFolder(`/deep${'/folder'.repeat(20)}`)
    expect(Buffer.byteLength(`${folder}/.s.PGSQL.5432`)).toBeLessThan(100)
  })
})
