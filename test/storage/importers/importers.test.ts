import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import sqlite from 'node-sqlite3-wasm'
import { describe, expect, test } from 'vitest'
import { Problem } from '../../../core/errors.ts'
import { formatRfc3339 } from '../../../core/time.ts'
import { driftAppCalibration } from '../../../storage/importers/driftapp-calibration.ts'
import { driftAppSession } from '../../../storage/importers/driftapp-session.ts'
import { IMPORTERS } from '../../../storage/importers/index.ts'
import { rustDaqHardware } from '../../../storage/importers/rust-daq-hardware.ts'
import { smartSawDatabase } from '../../../storage/importers/smart-saw-database.ts'
import { alarmDatabase, DOME_CONFIG, DOME_SESSION, HARDWARE, importFile, sawDatabase, temporaryFolder } from './fixtures.ts'

describe('a hardware file of rust-daq', () => {
  const read = async (text: string) => {
    await using folder = await temporaryFolder()
    return await rustDaqHardware.read(await importFile(folder.path, 'hardware.toml', text))
  }

  test('gives devices with their names, and says by line what has no driver here', async () => {
    const { devices, notes } = await read(HARDWARE)
    expect(devices.map(({ name, driverId, settings }) => ({ name, driverId, settings }))).toEqual([
      { name: 'rotator_2', driverId: 'thorlabs-ell14', settings: { address: 'serial:///dev/serial/by-id/usb-FTDI-if00', busAddress: '2' } },
      { name: 'stage_x', driverId: 'newport-esp300', settings: { address: 'serial:///dev/ttyUSB0', axis: 1 } },
      { name: 'power_meter', driverId: 'newport-1830c', settings: { address: 'serial:///dev/ttyS0' } },
    ])
    expect(devices[0]).toMatchObject({ where: 'line 3', label: 'Half-wave plate', warnings: [] })
    expect(devices[1]?.warnings).toEqual([expect.stringContaining('/dev/serial/by-id'), expect.stringContaining('home_on_start = true')])
    expect(notes).toEqual([expect.stringMatching(/hardware\.toml, line 19: spectrometer is left out, its driver "ocean_optics" has none here/)])
  })

  const device = (more: string, fields = '') => `[[devices]]\nid = "a"\n${fields}[devices.driver]\ntype = "newport1830_c"\nport = "/dev/ttyS0"\n${more}`

  test('tells each field that has no place here: of the device, of another driver, of the whole', async () => {
    const { devices, notes } = await read(`plugin_paths = ["~/plugins"]\n${device('address = "2"\n', 'retries = 3\n')}`)
    expect(devices[0]?.warnings).toEqual(['retries = 3 has no place here and is left out', 'address = "2" has no place here and is left out'])
    expect(notes).toEqual(["hardware.toml: plugin_paths are settings of rust-daq's own program and left out"])
  })

  test('leaves a device out that is not enabled', async () => {
    expect(await read(device('', 'enabled = false\n'))).toMatchObject({ devices: [], notes: ['hardware.toml, line 1: a is left out, it is not enabled'] })
    expect((await read(device('', 'enabled = true\n'))).devices).toMatchObject([{ name: 'a', warnings: [] }])
  })

  test.each([
    ['[[devices]]\nid = "a"\n[devices.driver]\ntype = "ell14"\n', 'line 1: a needs a port'],
    ['[[devices]]\nid = "a"\n[devices.driver]\ntype = "ell14"\nport = "/dev/ttyS1"\n', 'line 1: a needs its address'],
    ['[[devices]]\nid = "a"\n[devices.driver]\ntype = "esp300"\nport = "/dev/ttyS1"\n', 'line 1: a needs its axis'],
    ['x = 1\n\n[[devices]]\nname = "a"\n', 'line 3: a device needs an id'],
    ['[[devices]]\nid = "a"\n', 'line 1: a needs [devices.driver] with a type'],
    ['[[devices]]\nid = \n', 'hardware.toml, line 2, column'],
    ['title = "x"\n', 'there is no [[devices]]'],
  ])('refuses %j with its place', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message)
  })
})

describe('a calibration of DriftApp', () => {
  const read = async (value: unknown) => {
    await using folder = await temporaryFolder()
    return await driftAppCalibration.read(await importFile(folder.path, 'config.json', typeof value === 'string' ? value : JSON.stringify(value)))
  }

  test('gives the dome its encoder, factor and legacy alignment', async () => {
    const { devices, notes } = await read(DOME_CONFIG)
    expect(devices).toHaveLength(1)
    expect(devices[0]).toMatchObject({
      name: 'dome',
      driverId: 'dome-rotator',
      settings: {
        address: 'serial:///dev/ttyACM0',
        encoder: 'spi:///dev/spidev0.0',
        spiSpeed: 1_000_000,
        alignment: 'legacy',
        encoderFactor: 0.010851,
        motorSteps: 200,
        microsteps: 4,
        gearRatio: 2230,
        stepsCorrection: 1.08849,
        latitude: 44.15,
      },
    })
    expect(devices[0]?.warnings).toEqual([expect.stringContaining('/dev/serial/by-id')])
    expect(notes).toEqual(["config.json: site.longitude, site.fuseau, suivi are settings of DriftApp's own program and left out"])
  })

  test('knows the older motor on GPIO lines', async () => {
    const { motor_driver: _, ...older } = DOME_CONFIG
    expect((await read(older)).devices[0]?.settings).toMatchObject({ address: 'gpio:///dev/gpiochip0', stepLine: 18, directionLine: 17 })
  })

  test('says what it cannot take on trust, and takes no more than is there', async () => {
    const { devices } = await read({ ...DOME_CONFIG, simulation: true, encodeur: { ...DOME_CONFIG.encodeur, enabled: false } })
    expect(devices[0]?.warnings).toContain('"simulation" was on: this file may never have moved a dome')
    expect(devices[0]?.settings).not.toHaveProperty('encoder')
    expect(devices[0]?.settings).not.toHaveProperty('encoderFactor')
    const spi = { ...DOME_CONFIG.encodeur.spi, speed_hz: 5_000_000, mode: 1 }
    expect((await read({ ...DOME_CONFIG, encodeur: { ...DOME_CONFIG.encodeur, spi } })).devices[0]?.settings).toMatchObject({
      spiSpeed: 1_000_000, // the fastest of the part
      alignment: 'standard',
    })
  })

  test('takes no angle of an error for a measurement', async () => {
    const position = { ts: 1, angle: 132.5, raw: 512, status: 'OK', calibrated: true }
    expect((await read(position)).notes).toEqual([expect.stringContaining('startAzimuth = 132.5')])
    await expect(read({ ...position, angle: 0, status: 'SPI ERROR' })).rejects.toThrow('its angle is no measurement')
    await expect(read({ ...position, calibrated: false })).rejects.toThrow('had not passed its switch')
  })

  test.each([
    [{ ...DOME_CONFIG, encodeur: { ...DOME_CONFIG.encodeur, calibration_factor: '0.01' } }, 'encodeur.calibration_factor: "0.01" is not a number'],
    [{ ...DOME_CONFIG, encodeur: { ...DOME_CONFIG.encodeur, calibration_factor: -1 } }, 'is not above 0'],
    [{ ...DOME_CONFIG, moteur: {} }, 'moteur.steps_per_revolution'],
    ['{\n"moteur": ,\n}', 'config.json, line 2'],
    ['[]', 'give a JSON object'],
    [{ a: 1 }, 'neither a config.json'],
  ])('refuses what is wrong in it, with its place', async (value, message) => {
    await expect(read(value)).rejects.toThrow(message)
  })
})

describe('a session of DriftApp', () => {
  const read = async (value: unknown, timeZone: string | undefined = 'Europe/Paris') => {
    await using folder = await temporaryFolder()
    return await driftAppSession.read(await importFile(folder.path, 'session.json', JSON.stringify(value), timeZone))
  }

  test('gives a session and a table with units for each log that has entries', async () => {
    const { sessions, tables } = await read(DOME_SESSION)
    expect(sessions).toEqual([
      expect.objectContaining({
        key: DOME_SESSION.session_id,
        title: 'M 42',
        tags: ['driftapp'],
        metadata: expect.objectContaining({ object: DOME_SESSION.object }),
      }),
    ])
    expect(formatRfc3339(sessions[0]?.startedAt ?? 0n)).toBe('2026-01-14T19:15:00.250Z')
    expect(tables.map(({ name, sessionKey }) => [name, sessionKey])).toEqual([
      ['corrections_log', DOME_SESSION.session_id],
      ['goto_log', DOME_SESSION.session_id],
    ])
    expect(tables[0]?.columns).toEqual([
      { name: 'timestamp', type: 'timestamp[ns]' },
      ...['azimut', 'altitude', 'dome_position', 'correction'].map((name) => ({ name, type: 'float64', unit: 'deg' })),
      { name: 'mode', type: 'utf8' },
    ])
    expect([...(tables[0]?.rows() ?? [])][1]?.slice(1)).toEqual([130.5, 33, 128.5, 1.25, 'normal'])
  })

  test.each([
    [{ ...DOME_SESSION, version: '2.0' }, '"2.0" is not known; only "1.0" is'],
    [{ ...DOME_SESSION, session_id: 7 }, 'session_id: missing'],
    [{ ...DOME_SESSION, timing: { start_time: 'noon' } }, 'timing.start_time: "noon" is not a time'],
    [
      {
        ...DOME_SESSION,
        goto_log: [
          { timestamp: '2026-01-14T20:15:01', delta: 1 },
          { timestamp: '2026-01-14T20:15:02', delta: 'far' },
        ],
      },
      'goto_log[1].delta: "far"',
    ],
    [{ ...DOME_SESSION, goto_log: [{ delta: 1 }] }, 'goto_log[0].timestamp'],
    [{ ...DOME_SESSION, goto_log: {} }, 'goto_log: not a list'],
  ])('refuses what is wrong in it, with its place', async (value, message) => {
    await expect(read(value)).rejects.toThrow(message)
  })

  test('asks for the zone of its clock', async () => {
    await using folder = await temporaryFolder()
    await expect(driftAppSession.read(await importFile(folder.path, 'session.json', JSON.stringify(DOME_SESSION)))).rejects.toThrow(
      'say which clock wrote them',
    )
    await expect(read(DOME_SESSION, 'Paris')).rejects.toThrow('is not a time zone')
  })
})

describe('a database of smart-saw', () => {
  test('gives a table for each of its tables, with units and times, and a session for each cut', async () => {
    await using folder = await temporaryFolder()
    sawDatabase(path.join(folder.path, 'total.db'))
    await using read = await smartSawDatabase.read(await importFile(folder.path, 'total.db', undefined, 'Europe/Istanbul'))
    expect(read.tables.map(({ name, expectedRows }) => [name, expectedRows])).toEqual([
      ['sensor_data', 3],
      ['cutting_sessions', 2],
    ])
    const [sensors] = read.tables
    expect(sensors?.columns).toEqual([
      { name: 'id', type: 'int64' },
      { name: 'timestamp', type: 'timestamp[ns]' },
      { name: 'kesim_id', type: 'int64' },
      { name: 'serit_motor_akim_a', type: 'float64', unit: 'A' },
      { name: 'ortam_sicakligi_c', type: 'float64', unit: 'Cel' },
      { name: 'testere_durumu', type: 'int64' },
      { name: 'malzeme_cinsi', type: 'utf8' },
      { name: 'guc_kwh', type: 'float64', unit: 'kW.h' },
      { name: 'something_new', type: 'float64' },
    ])
    const rows = [...(sensors?.rows() ?? [])]
    expect(rows[1]).toEqual([2n, BigInt(Date.UTC(2026, 1, 3, 5, 0, 0, 100)) * 1_000_000n, null, 13.5, 21.5, 3n, 'C45', 1.25, null])
    expect(read.sessions.map(({ title, endedAt }) => [title, endedAt === undefined ? undefined : formatRfc3339(endedAt)])).toEqual([
      ['Cut 7', '2026-02-03T05:05:00Z'],
      ['Cut 8', undefined],
    ])
    expect(read.sessions[0]?.metadata).toMatchObject({ kesim_id: 7, start_height_mm: 210.5 })
    expect(read.sessions.map(({ recorded }) => recorded)).toEqual([[{ table: 'sensor_data', firstRow: 0, lastRow: 2 }], undefined])
  })

  test('alarms become events', async () => {
    await using folder = await temporaryFolder()
    alarmDatabase(path.join(folder.path, 'alarm.db'))
    await using read = await smartSawDatabase.read(await importFile(folder.path, 'alarm.db', undefined, 'UTC'))
    expect(read.tables[0]?.events?.map(({ summary }) => summary)).toEqual(['alarm 0x0004 of the saw: blade broken', 'alarm 0x0010 of the saw'])
    expect(read.notes).toEqual(['alarm.db: table alarm_config is empty'])
  })

  test('of more alarms than anybody reads, the newest come into the feed and all into the table', async () => {
    await using folder = await temporaryFolder()
    const file = path.join(folder.path, 'alarm.db')
    alarmDatabase(file)
    const database = new sqlite.Database(file)
    database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
      INSERT INTO alarm_events (timestamp, code) SELECT '2026-02-04T08:00:00', i FROM n`)
    database.close()
    await using read = await smartSawDatabase.read(await importFile(folder.path, 'alarm.db', undefined, 'UTC'))
    expect(read.tables[0]?.expectedRows).toBe(10_002)
    expect(read.tables[0]?.events).toHaveLength(10_000)
    expect(read.tables[0]?.events?.at(0)?.summary).toBe('alarm 1 of the saw')
    expect(read.tables[0]?.events?.at(-1)?.summary).toBe('alarm 10000 of the saw')
  })

  test.each([
    ["(9, 'this morning')", 'total.db, table cutting_sessions, row 2, start_time: this morning is not a time'],
    ["(NULL, '2026-02-03T08:00:00')", 'total.db, table cutting_sessions, row 2, kesim_id: missing'],
  ])('a cut %s is told with its row', async (row, message) => {
    await using folder = await temporaryFolder()
    const database = new sqlite.Database(path.join(folder.path, 'total.db'))
    database.exec(`CREATE TABLE cutting_sessions (kesim_id INTEGER, start_time TEXT); INSERT INTO cutting_sessions VALUES (8, '2026-02-03T08:00:00'), ${row}`)
    database.close()
    await expect(smartSawDatabase.read(await importFile(folder.path, 'total.db', undefined, 'UTC'))).rejects.toThrow(message)
  })

  test('reads what is still in the write-ahead log, and leaves the file and its log as they are', async () => {
    await using folder = await temporaryFolder()
    const file = path.join(folder.path, 'total.db')
    const script = `const { Database } = require('node-sqlite3-wasm'); const db = new Database(process.argv[1]); db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0');
      db.exec("CREATE TABLE system_logs (id INTEGER PRIMARY KEY, timestamp TEXT, level TEXT); INSERT INTO system_logs VALUES (1, '2026-02-03T08:00:00', 'INFO')"); process.kill(process.pid, 'SIGKILL')`
    expect(() => execFileSync(process.execPath, ['-e', script, file], { cwd: path.join(import.meta.dirname, '../../../storage'), stdio: 'ignore' })).toThrow()
    const { readFile } = await import('node:fs/promises')
    const before = await Promise.all([readFile(file), readFile(`${file}-wal`)])
    await using read = await smartSawDatabase.read(await importFile(folder.path, 'total.db', undefined, 'UTC'))
    expect([...(read.tables[0]?.rows() ?? [])]).toHaveLength(1)
    expect(await Promise.all([readFile(file), readFile(`${file}-wal`)])).toEqual(before)
  })

  test('a cell that is not of its column is told with its row', async () => {
    await using folder = await temporaryFolder()
    const file = path.join(folder.path, 'ml.db')
    const database = new sqlite.Database(file)
    database.exec(
      "CREATE TABLE ml_predictions (id INTEGER PRIMARY KEY, timestamp TEXT, ml_output REAL); INSERT INTO ml_predictions VALUES (1, '2026-02-03T08:00:00', 1), (2, '2026-02-03T08:00:01', 'many')",
    )
    database.close()
    await using read = await smartSawDatabase.read(await importFile(folder.path, 'ml.db', undefined, 'UTC'))
    expect(() => [...(read.tables[0]?.rows() ?? [])]).toThrow('ml.db, table ml_predictions, row 2, ml_output: "many" is not a number')
  })

  test('what is no database, or another one, is refused', async () => {
    await using folder = await temporaryFolder()
    await expect(
      smartSawDatabase.read(await importFile(folder.path, 'total.db', 'not a database at all, whatever its name'.repeat(50), 'UTC')),
    ).rejects.toThrow('SQLite says')
    const other = path.join(folder.path, 'other.db')
    const database = new sqlite.Database(other)
    database.exec('CREATE TABLE cats (name TEXT)')
    database.close()
    await expect(smartSawDatabase.read(await importFile(folder.path, 'other.db', undefined, 'UTC'))).rejects.toThrow('none of the tables of smart-saw')
  })
})

test('whatever is in a file, an importer gives something or a problem', async () => {
  await using folder = await temporaryFolder()
  const nearly = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .constantFrom(HARDWARE, JSON.stringify(DOME_CONFIG), JSON.stringify(DOME_SESSION))
      .chain((text) =>
        fc
          .tuple(fc.constant(text), fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 5 }))
          .map(([whole, at, cut, put]) => whole.slice(0, at) + put + whole.slice(at + cut)),
      ),
  )
  await fc.assert(
    fc.asyncProperty(nearly, async (text) => {
      await writeFile(path.join(folder.path, 'file'), text)
      for (const importer of IMPORTERS) {
        try {
          const read = await importer.read(await importFile(folder.path, 'file', undefined, 'UTC'))
          for (const table of read.tables) for (const row of table.rows()) expect(row).toHaveLength(table.columns.length)
          await read[Symbol.asyncDispose]()
        } catch (error) {
          expect(error).toBeInstanceOf(Problem)
        }
      }
    }),
    { numRuns: 60 },
  )
})
