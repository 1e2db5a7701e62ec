import type { DeviceSettings } from '../../core/device.ts'
import { type Imported, type Importer, type ImportFile, imported, refuse, unstablePath } from './importer.ts'
import { isObject, type JsonObject, numberAt, objectAt, readJson } from './json-file.ts'

const DOME_NAME = 'dome'
const FASTEST_SPI_HZ = 1_000_000

/**
 * DriftApp's calibration: its `config.json` (motor, encoder and its factor, site), or `ems22_position.json` (where the dome stood last). Its encoder is read in
 * SPI mode 0, one bit late: the factor holds with the legacy alignment and with the standard one alike, and legacy is what it was measured with.
 */
export const driftAppCalibration: Importer = {
  id: 'driftapp-calibration',
  label: 'DriftApp calibration (config.json, ems22_position.json)',
  async read(file) {
    const json = await readJson(file)
    if ('encodeur' in json || 'moteur' in json) return configuration(file, json)
    if ('angle' in json && 'raw' in json) return lastPosition(file, json)
    return refuse(file, 'the whole', 'neither a config.json (encodeur, moteur) nor an ems22_position.json (angle, raw)')
  },
}

function configuration(file: ImportFile, json: JsonObject): Imported {
  const motor = objectAt(file, json, 'moteur')
  const settings: Record<string, string | number | boolean> = {
    ...motorAddress(file, json, motor),
    motorSteps: numberAt(file, motor, 'steps_per_revolution', 'moteur'),
    microsteps: numberAt(file, motor, 'microsteps', 'moteur'),
    gearRatio: numberAt(file, motor, 'gear_ratio', 'moteur'),
    stepsCorrection: numberAt(file, motor, 'steps_correction_factor', 'moteur'),
    ...encoder(file, objectAt(file, json, 'encodeur')),
  }
  if (isObject(json.site)) settings.latitude = numberAt(file, json.site, 'latitude', 'site')
  const warnings = [
    ...(json.simulation === true ? ['"simulation" was on: this file may never have moved a dome'] : []),
    ...unstablePath(String(settings.address).replace('serial://', '')),
  ]
  return imported({
    devices: [{ where: 'moteur, encodeur', name: DOME_NAME, label: 'Dome', driverId: 'dome-rotator', settings, warnings }],
    notes: notTaken(file, json),
  })
}

function motorAddress(file: ImportFile, json: JsonObject, motor: JsonObject): DeviceSettings {
  const driver = isObject(json.motor_driver) ? json.motor_driver : undefined
  if (driver?.type === 'rp2040') {
    const { port } = objectAt(file, driver, 'serial')
    return typeof port === 'string' ? { address: `serial://${port}` } : refuse(file, 'motor_driver.serial.port', 'missing')
  }
  const pins = objectAt(file, motor, 'gpio_pins')
  return {
    address: 'gpio:///dev/gpiochip0', // BCM numbers are the lines of the first chip
    stepLine: numberAt(file, pins, 'step', 'moteur.gpio_pins'),
    directionLine: numberAt(file, pins, 'dir', 'moteur.gpio_pins'),
  }
}

function encoder(file: ImportFile, json: JsonObject): DeviceSettings {
  if (json.enabled === false) return {}
  const spi = objectAt(file, json, 'spi')
  const factor = numberAt(file, json, 'calibration_factor', 'encodeur')
  if (factor <= 0) refuse(file, 'encodeur.calibration_factor', `${factor} is not above 0`)
  return {
    encoder: `spi:///dev/spidev${numberAt(file, spi, 'bus', 'encodeur.spi')}.${numberAt(file, spi, 'device', 'encodeur.spi')}`,
    spiSpeed: Math.min(FASTEST_SPI_HZ, numberAt(file, spi, 'speed_hz', 'encodeur.spi')),
    alignment: spi.mode === undefined || spi.mode === 0 ? 'legacy' : 'standard',
    encoderFactor: factor,
  }
}

/** Of each part that is looked at, what is taken; `mecanique` is what the factor was made of, and pins are of the motor without a controller. */
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  moteur: ['gpio_pins', 'steps_per_revolution', 'microsteps', 'gear_ratio', 'steps_correction_factor'],
  encodeur: ['enabled', 'spi', 'mecanique', 'calibration_factor'],
  site: ['latitude'],
  motor_driver: ['type', 'serial'],
}

function notTaken(file: ImportFile, json: JsonObject): readonly string[] {
  const left = Object.entries(json).flatMap(([key, value]) => {
    const taken = TAKEN[key]
    if (key === 'simulation') return []
    return taken === undefined || !isObject(value) ? [key] : Object.keys(value).flatMap((part) => (taken.includes(part) ? [] : [`${key}.${part}`]))
  })
  const told = left.filter((key) => !/(^|\.)_/.test(key)) // a comment
  return told.length === 0 ? [] : [`${file.name}: ${told.join(', ')} are settings of DriftApp's own program and left out`]
}

/** A published angle is a measurement only where the status says so: on an SPI error DriftApp publishes 0. */
function lastPosition(file: ImportFile, json: JsonObject): Imported {
  if (json.status !== 'OK') return refuse(file, 'status', `${JSON.stringify(json.status)}: its angle is no measurement; only "OK" is taken`)
  if (json.calibrated !== true) return refuse(file, 'calibrated', 'the dome had not passed its switch; its angle is not an azimuth')
  const angle = numberAt(file, json, 'angle', 'the whole')
  return imported({
    notes: [`${file.name}: the dome stood at ${angle} deg; give it to the dome-rotator as startAzimuth = ${angle} if it has not been moved since`],
  })
}
