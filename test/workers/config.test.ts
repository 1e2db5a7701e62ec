import { describe, expect, it } from 'vitest'
import { CannotStart } from '../../link/child.ts'
import { readStationConfig } from '../../workers/config.ts'

const GIVEN = { DATA_DIR: '/data/kymograph', DATABASE_URL: 'postgresql://localhost/lab' }

describe('the configuration of a station', () => {
  it('has a default for everything but the data folder and the database', () => {
    expect(readStationConfig({ ...GIVEN, RING_DIR: '/ring', REDIS_URL: '' })).toEqual({
      dataDir: '/data/kymograph',
      databaseUrl: 'postgresql://localhost/lab',
      redisUrl: undefined,
      logLevel: 'info',
      stationName: 'local',
      labDir: '/data/kymograph/lab',
      ringDir: '/ring',
      journalDir: '/data/kymograph/journal/local',
      registryFile: '/data/kymograph/journal/local/registry.json',
      socketPath: '/data/kymograph/run/station-local.sock',
      tokenFile: '/data/kymograph/run/link-token',
      stopPort: 0,
      stopPortFile: '/data/kymograph/run/station-local.stop-port',
      instrumentsDir: '/data/kymograph/instruments',
      plugins: [],
      pluginsDir: '/data/kymograph/plugins',
      watchPlugins: false,
      frameFileBytes: 64 * 1024 ** 3,
      commit: '',
    })
  })

  it('keeps the socket where its path fits, however deep the data folder is', () => {
    const { socketPath } = readStationConfig({ ...GIVEN, DATA_DIR: `/data/${'deep/'.repeat(30)}` })
    expect(Buffer.byteLength(socketPath)).toBeLessThan(100)
  })

  it('takes plugins by folder and by package', () => {
    const { plugins, watchPlugins } = readStationConfig({ ...GIVEN, PLUGINS: '/opt/acme, @acme/lasers,', PLUGINS_WATCH: 'on' })
    expect([plugins, watchPlugins]).toEqual([['/opt/acme', '@acme/lasers'], true])
  })

  it('takes the size of the files of a recording in MiB', () => {
    expect(readStationConfig({ ...GIVEN, FRAME_FILE_MIB: '4096' }).frameFileBytes).toBe(4 * 1024 ** 3)
  })

  it('knows no simulated lab when there is none', () => {
    expect(readStationConfig({ ...GIVEN, SIMULATED_LAB: 'off' }).labDir).toBeUndefined()
  })

  it.each([
    [{ DATA_DIR: 'data' }, 'DATA_DIR'],
    [{ DATABASE_URL: '' }, 'DATABASE_URL'],
    [{ STATION_NAME: '../etc' }, 'STATION_NAME'],
    [{ STATION_STOP_PORT: '70000' }, 'STATION_STOP_PORT'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ INSTRUMENTS_DIR: 'instruments' }, 'INSTRUMENTS_DIR'],
    [{ PLUGINS_WATCH: 'yes' }, 'PLUGINS_WATCH'],
    [{ FRAME_FILE_MIB: '0' }, 'FRAME_FILE_MIB'],
    [{ FRAME_FILE_MIB: '0.5' }, 'FRAME_FILE_MIB'],
    [{ FRAME_FILE_MIB: '64 GiB' }, 'FRAME_FILE_MIB'],
    [{ FRAME_FILE_MIB: '16777217' }, 'from 1 to 16777216'],
  ])('refuses %o and names it', (wrong, name) => {
    expect(() => readStationConfig({ ...GIVEN, ...wrong })).toThrow(CannotStart)
    expect(() => readStationConfig({ ...GIVEN, ...wrong })).toThrow(name)
  })
})
