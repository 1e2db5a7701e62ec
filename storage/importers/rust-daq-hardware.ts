import { parse, TomlError } from 'smol-toml'
import type { DeviceSettings } from '../../core/device.ts'
import { type Importer, type ImportFile, imported, type ProposedDevice, refuse, unstablePath } from './importer.ts'
import { isObject, type JsonObject, readText } from './json-file.ts'

/** Why a driver of theirs has none of ours. */
const WITHOUT: Readonly<Record<string, string>> = {
  mock_stage: 'a mock; the simulated lab has instruments of its own',
  mock_power_meter: 'a mock; the simulated lab has instruments of its own',
  mock_camera: 'a mock; the simulated lab has instruments of its own',
  plugin: 'a YAML plugin of rust-daq; describe the instrument in a file of our own',
}

type Translation = {
  readonly driverId: string
  /** Of their fields, beside the type: what must be there, and what may. */
  readonly needs: readonly string[]
  readonly takes: readonly string[]
  readonly settings: (driver: JsonObject) => DeviceSettings
}

const serial = (driver: JsonObject): DeviceSettings => ({
  address: `serial://${String(driver.port)}`,
  ...(driver.baud_rate !== undefined && { baudRate: plain(driver.baud_rate) }),
})

/** Their driver types, and what each of their fields is called here. */
const DRIVERS: Readonly<Record<string, Translation>> = {
  ell14: {
    driverId: 'thorlabs-ell14',
    needs: ['port', 'address'],
    takes: ['baud_rate'],
    settings: (driver) => ({ ...serial(driver), busAddress: String(driver.address).toUpperCase() }),
  },
  esp300: {
    driverId: 'newport-esp300',
    needs: ['port', 'axis'],
    takes: ['baud_rate'],
    settings: (driver) => ({ ...serial(driver), axis: plain(driver.axis) }),
  },
  newport1830_c: { driverId: 'newport-1830c', needs: ['port'], takes: ['baud_rate'], settings: serial },
  mai_tai: { driverId: 'spectra-physics-maitai', needs: ['port'], takes: ['baud_rate'], settings: serial },
  pvcam: {
    driverId: 'pvcam-camera',
    needs: [],
    takes: ['camera_name'],
    settings: (driver) => ({
      address: 'pvcam:///opt/pvcam/library/x86_64/libpvcam.so', // where its installer puts it
      ...(driver.camera_name !== undefined && { camera: plain(driver.camera_name) }),
    }),
  },
}
const DEVICE_FIELDS = ['id', 'name', 'driver', 'enabled']
const FILE_FIELDS = ['devices']

/** A hardware file of rust-daq: TOML, one [[devices]] each with its driver. Nothing is dropped in silence: what has no place here is a note with its line. */
export const rustDaqHardware: Importer = {
  id: 'rust-daq-hardware',
  label: 'rust-daq hardware file (TOML)',
  async read(file) {
    const text = await readText(file)
    const { devices, others } = partsOf(file, text)
    const lines = text.split('\n').flatMap((line, index) => (/^\s*\[\[\s*devices\s*\]\]/.test(line) ? [index + 1] : []))
    const notes = others.length === 0 ? [] : [`${file.name}: ${others.join(', ')} are settings of rust-daq's own program and left out`]
    const proposed = devices.flatMap((device, index) => proposal(file, device, `line ${lines[index] ?? '?'}`, notes))
    return imported({ devices: proposed, notes })
  },
}

function partsOf(file: ImportFile, text: string): { readonly devices: readonly unknown[]; readonly others: readonly string[] } {
  let toml: JsonObject
  try {
    toml = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    return refuse(file, `line ${error.line}, column ${error.column}`, `not TOML (${error.message.split('\n')[0]})`)
  }
  if (!Array.isArray(toml.devices)) return refuse(file, 'the whole', 'there is no [[devices]]; is it a hardware file of rust-daq?')
  return { devices: toml.devices, others: Object.keys(toml).filter((key) => !FILE_FIELDS.includes(key)) }
}

/** None for a device that has no driver here, or that rust-daq itself is told to leave alone: that is a note. */
function proposal(file: ImportFile, device: unknown, where: string, notes: string[]): readonly ProposedDevice[] {
  if (!isObject(device) || typeof device.id !== 'string') return refuse(file, where, 'a device needs an id')
  const { id, driver, name } = device
  if (!isObject(driver) || typeof driver.type !== 'string') return refuse(file, where, `${id} needs [devices.driver] with a type`)
  const translation = DRIVERS[driver.type]
  const without =
    device.enabled === false
      ? 'it is not enabled'
      : translation === undefined && (WITHOUT[driver.type] ?? `its driver "${driver.type}" has none here; known are ${Object.keys(DRIVERS).join(', ')}`)
  if (translation === undefined || without !== false) {
    notes.push(`${file.name}, ${where}: ${id} is left out, ${without}`)
    return []
  }
  const missing = translation.needs.find((field) => typeof driver[field] !== 'string' && typeof driver[field] !== 'number')
  if (missing !== undefined) return refuse(file, where, `${id} needs ${missing === 'port' ? 'a port' : `its ${missing}`}`)
  const known = ['type', ...translation.needs, ...translation.takes]
  const left = [
    ...Object.entries(device).filter(([field]) => !DEVICE_FIELDS.includes(field)),
    ...Object.entries(driver).filter(([field]) => !known.includes(field)),
  ]
  return [
    {
      where,
      name: id,
      ...(typeof name === 'string' && { label: name }),
      driverId: translation.driverId,
      settings: translation.settings(driver),
      warnings: [...unstablePath(driver.port), ...left.map(([field, value]) => `${field} = ${JSON.stringify(value)} has no place here and is left out`)],
    },
  ]
}

function plain(value: unknown): string | number {
  return typeof value === 'number' ? value : String(value)
}
