import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sqlite from 'node-sqlite3-wasm'
import type { ImportFile } from '../../../storage/importers/importer.ts'

/** Files as the other programs write them, made here: nothing of theirs is copied. */

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-import-'))
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

export async function importFile(folder: string, name: string, content: string | undefined, timeZone?: string): Promise<ImportFile> {
  const file = path.join(folder, name)
  if (content !== undefined) await writeFile(file, content)
  const scratch = path.join(folder, 'scratch')
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch)
  return { path: file, name, scratch, timeZone }
}

export const HARDWARE = `
# a bench
[[devices]]
id = "rotator_2"
name = "Half-wave plate"
[devices.driver]
type = "ell14"
port = "/dev/serial/by-id/usb-FTDI-if00"
address = "2"

[[devices]]
id = "stage_x"
[devices.driver]
type = "esp300"
port = "/dev/ttyUSB0"
axis = 1
home_on_start = true

[[devices]]
id = "spectrometer"
[devices.driver]
type = "ocean_optics"
port = "/dev/ttyUSB3"

[[devices]]
id = "power_meter"
[devices.driver]
type = "newport1830_c"
port = "/dev/ttyS0"
`

export const DOME_CONFIG = {
  _version: '5.10',
  site: { latitude: 44.15, longitude: 5.23, fuseau: 'Europe/Paris' },
  suivi: { seuil_correction_deg: 0.5 },
  simulation: false,
  motor_driver: { type: 'rp2040', serial: { port: '/dev/ttyACM0', baudrate: 115_200 } },
  moteur: { gpio_pins: { dir: 17, step: 18 }, steps_per_revolution: 200, microsteps: 4, gear_ratio: 2230, steps_correction_factor: 1.08849 },
  encodeur: { enabled: true, spi: { bus: 0, device: 0, speed_hz: 1_000_000, mode: 0 }, calibration_factor: 0.010851 },
}

export const DOME_SESSION = {
  version: '1.0',
  session_id: '20260114_201500_M_42',
  object: { name: 'M 42', ra_deg: 83.82, dec_deg: -5.39 },
  timing: { start_time: '2026-01-14T20:15:00.250000', end_time: '2026-01-14T21:15:00', duration_seconds: 3600 },
  summary: { total_corrections: 2, mode_distribution: { normal: 2 } },
  corrections_log: [
    { timestamp: '2026-01-14T20:20:00', azimut: 120.5, altitude: 30.25, dome_position: 118.75, correction: 1.5, mode: 'normal' },
    { timestamp: '2026-01-14T20:50:00', azimut: 130.5, altitude: 33.0, dome_position: 128.5, correction: 1.25, mode: 'normal' },
  ],
  position_log: [],
  goto_log: [{ timestamp: '2026-01-14T20:15:01', start_position: 45, target_position: 118.75, delta: 73.75, reason: 'initial' }],
}

/** As smart-saw leaves it: in WAL mode where `wal` is set. */
export function sawDatabase(file: string, options: { readonly rows?: number; readonly wal?: boolean } = {}): void {
  const database = new sqlite.Database(file)
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    if (options.wal === true) database.exec('PRAGMA journal_mode = WAL')
    database.exec(`
      CREATE TABLE sensor_data (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp TEXT NOT NULL, kesim_id INTEGER, serit_motor_akim_a REAL,
        ortam_sicakligi_c REAL, testere_durumu INTEGER, malzeme_cinsi TEXT, guc_kwh REAL, something_new REAL);
      CREATE TABLE cutting_sessions (id INTEGER PRIMARY KEY AUTOINCREMENT, kesim_id INTEGER UNIQUE NOT NULL, start_time TEXT NOT NULL, end_time TEXT,
        controller_type TEXT, start_height_mm REAL, end_height_mm REAL, duration_ms INTEGER, data_count INTEGER DEFAULT 0);
      INSERT INTO cutting_sessions (kesim_id, start_time, end_time, controller_type, start_height_mm, end_height_mm, duration_ms, data_count)
        VALUES (7, '2026-02-03T08:00:00', '2026-02-03T08:05:00', 'ml', 210.5, 20, 300000, 3000), (8, '2026-02-03T08:10:00', NULL, 'manual', 200, NULL, NULL, 0);
      BEGIN`)
    for (let row = 0; row < (options.rows ?? 3); row += 1)
      database.run('INSERT INTO sensor_data VALUES (NULL, ?, ?, ?, ?, 3, ?, ?, NULL)', [
        new Date(Date.UTC(2026, 1, 3, 8, 0, 0, row * 100)).toISOString().slice(0, -1),
        row === 1 ? null : 7,
        12.5 + row,
        21.5,
        'C45',
        1.25,
      ])
    database.exec('COMMIT')
  } finally {
    database.close()
  }
}

export function alarmDatabase(file: string): void {
  const database = new sqlite.Database(file)
  try {
    database.exec(`
      CREATE TABLE alarm_events (id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, code TEXT, description TEXT, resolved_at TEXT);
      INSERT INTO alarm_events (timestamp, code, description, resolved_at) VALUES
        ('2026-02-03T08:01:00', '0x0004', 'blade broken', '2026-02-03T08:30:00'), ('2026-02-03T09:00:00', '0x0010', NULL, NULL);
      CREATE TABLE alarm_config (reset_timestamp TEXT)`)
  } finally {
    database.close()
  }
}
