import { parse, TomlError } from 'smol-toml'
import type { DeviceSettings } from '../../core/device.ts'
import { type Importer, type ImportFile, imported, type ProposedDevice, refuse } from './importer.ts'
import { isObject, type JsonObject, readText } from './json-file.ts'

/** Why a driver of theirs has none of ours. */
const WITHOUT: Readonly<Record<string, string>> = {
  mock_stage: 'a mock; the simulated lab has instruments of its own',
  mock_power_meter: 'a mock; the simulated lab has instruments of its own',
  mock_camera: 'a mock; the simulated lab has instruments of its own',
  plugin: 'a YAML plugin of rust-daq; describe the instrument in a file of our own',
}

type Translation = { readonly driverId: string; readonly settings: (driver: JsonObject) => DeviceSettings }

const serial = (driver: JsonObject): DeviceSettings => ({
  address: `serial://${String(driver.port)}`,
  ...(driver.baud_rate !== undefined && { baudRate: plain(driver.baud_rate) }),
})

/** Their driver types, and what each of their fields is called here. */
const DRIVERS: Readonly<Record<string, Translation>> = {
  ell14: { driverId: 'thorlabs-ell14', settings: (driver) => ({ ...serial(driver), busAddress: String(driver.address).toUpperCase() }) },
  esp300: { driverId: 'newport-esp300', settings: (driver) => ({ ...serial(driver), axis: plain(driver.axis) }) },
  newport1830_c: { driverId: 'newport-1830c', settings: serial },
  mai_tai: { driverId: 'spectra-physics-maitai', settings: serial },
  pvcam: {
    driverId: 'pvcam-camera',
    settings: (driver) => ({
      address: 'pvcam:///opt/pvcam/library/x86_64/libpvcam.so', // where its installer puts it
      ...(driver.camera_name !== undefined && { camera: plain(driver.camera_name) }),
    }),
  },
}
const KNOWN_FIELDS = ['type', 'port', 'address', 'axis', 'baud_rate', 'camera_name']
const NEEDS_PORT = ['ell14', 'esp300', 'newport1830_c', 'mai_tai']

/** A hardware file of rust-daq: TOML, one [[devices]] each with its driver. Nothing is dropped in silence: what has no place here is a note with its line. */
export const rustDaqHardware: Importer = {
  id: 'rust-daq-hardware',
  label: 'rust-daq hardware file (TOML)',
  async read(file) {
    const text = await readText(file)
    const devices = devicesOf(file, text)
    const lines = text.split('\n').flatMap((line, index) => (/^\s*\[\[\s*devices\s*\]\]/.test(line) ? [index + 1] : []))
    const notes: string[] = []
    const proposed = devices.flatMap((device, index) => proposal(file, device, `line ${lines[index] ?? '?'}`, notes))
    return imported({ devices: proposed, notes })
  },
}

function devicesOf(file: ImportFile, text: string): readonly unknown[] {
  let toml: JsonObject
  try {
    toml = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    return refuse(file, `line ${error.line}, column ${error.column}`, `not TOML (${error.message.split('\n')[0]})`)
  }
  return Array.isArray(toml.devices) ? toml.devices : refuse(file, 'the whole', 'there is no [[devices]]; is it a hardware file of rust-daq?')
}

function proposal(file: ImportFile, device: unknown, where: string, notes: string[]): readonly ProposedDevice[] {
  if (!isObject(device) || typeof device.id !== 'string') return refuse(file, where, 'a device needs an id')
  const driver = device.driver
  if (!isObject(driver) || typeof driver.type !== 'string') return refuse(file, where, `${device.id} needs [devices.driver] with a type`)
  const translation = DRIVERS[driver.type]
  if (translation === undefined) {
    notes.push(
      `${file.name}, ${where}: ${device.id} is left out, ${WITHOUT[driver.type] ?? `its driver "${driver.type}" has none here; known are ${Object.keys(DRIVERS).join(', ')}`}`,
    )
    return []
  }
  if (NEEDS_PORT.includes(driver.type) && typeof driver.port !== 'string') return refuse(file, where, `${device.id} needs a port`)
  const lost = Object.keys(driver).filter((field) => !KNOWN_FIELDS.includes(field))
  const warnings = [
    ...(/^\/dev\/tty(USB|ACM)\d+$/.test(String(driver.port))
      ? [`${String(driver.port)} may be another instrument after a restart; choose a path below /dev/serial/by-id`]
      : []),
    ...lost.map((field) => `${field} = ${JSON.stringify(driver[field])} has no place here and is left out`),
  ]
  return [
    {
      where,
      name: device.id,
      ...(typeof device.name === 'string' && { label: device.name }),
      driverId: translation.driverId,
      settings: translation.settings(driver),
      warnings,
    },
  ]
}

function plain(value: unknown): string | number {
  return typeof value === 'number' ? value : String(value)
}
