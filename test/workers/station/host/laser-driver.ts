import { DeviceOffline, HardwareFault } from '../../../../core/errors.ts'
import type { ParameterSpec } from '../../../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../../../core/reading.ts'
import type { DeviceHandle, Driver, DriverPort, LostStationRule } from '../../../../drivers/driver.ts'

/** A tunable source in memory; a test says when it arrives. */
export class Laser {
  readonly heard: string[] = []
  open = false
  on = false
  wavelengthNm = 800
  targetNm = 800
  /** What was set or begun is still under way. */
  underWay = false
  /** The word of the instrument when it ends badly. */
  fault: string | undefined
  /** Answers nothing to the next command, though it does it. */
  loseAnswer = false
  asked = 0
  plugged = true
  readonly #ports = new Set<AbortController>()

  openPort(): DriverPort {
    if (!this.plugged) throw new DeviceOffline('the cable is not there', {})
    const controller = new AbortController()
    this.#ports.add(controller)
    return {
      lost: controller.signal,
      [Symbol.asyncDispose]: async () => void this.#ports.delete(controller),
    }
  }

  get openPorts(): number {
    return this.#ports.size
  }

  unplug(): void {
    for (const port of this.#ports) port.abort(new DeviceOffline('the cable was pulled', {}))
  }

  arrive(): void {
    this.wavelengthNm = this.targetNm
    this.underWay = false
  }

  write(name: string, value: ParameterValue): ParameterValue {
    this.heard.push(`${name}=${String(value)}`)
    if (name === 'shutter') this.open = value === true
    if (name === 'emission') this.on = value === true
    if (name === 'wavelength_setpoint') this.targetNm = Number(value)
    this.underWay = name !== 'emission'
    if (this.loseAnswer) throw new HardwareFault('no answer', 'POSSIBLE')
    return value
  }

  read(name: string): ParameterValue {
    const values: Record<string, ParameterValue> = {
      shutter: this.open,
      emission: this.on,
      wavelength: this.wavelengthNm,
      wavelength_setpoint: this.targetNm,
    }
    return values[name] ?? 0
  }
}

const PARAMETERS: readonly ParameterSpec[] = [
  { name: 'shutter', description: 'of the beam', kind: 'BOOLEAN', access: 'READ_WRITE' },
  { name: 'emission', description: 'of light', kind: 'BOOLEAN', access: 'READ_WRITE' },
  { name: 'wavelength', description: 'measured', kind: 'FLOAT', access: 'READ_ONLY', unit: 'nm', pollMs: 20 },
  { name: 'wavelength_setpoint', description: 'asked for', kind: 'FLOAT', access: 'READ_WRITE', unit: 'nm', minimum: 690, maximum: 1040 },
]

/** Settings: `address` names the laser; `dark` true leaves it with nothing but its wavelength. */
export function laserDriver(lasers: Readonly<Record<string, Laser>>, afterLostStation?: LostStationRule): Driver {
  const find = (address: unknown): Laser => {
    const laser = lasers[String(address)]
    if (laser === undefined) throw new DeviceOffline(`nothing is at ${String(address)}`, {})
    return laser
  }
  return {
    id: 'test-laser',
    vendor: 'Test',
    model: 'Laser',
    version: '1.0.0',
    portKind: 'SERIAL',
    settings: [],
    capabilities: ['PARAMETERIZED', 'SETTABLE', 'SHUTTER_CONTROL', 'EMISSION_CONTROL', 'WAVELENGTH_TUNABLE', 'COMMANDABLE'],
    ...(afterLostStation !== undefined && { afterLostStation }),
    locate: ({ address }) => ({ address: String(address) }),
    openPort: async ({ address }) => find(address).openPort(),
    openDevice: async (_, { address, dark }) => openLaser(find(address), dark === true),
  }
}

function openLaser(laser: Laser, dark: boolean): DeviceHandle {
  return {
    identity: 'Test Laser 1.0',
    parameters: PARAMETERS,
    wavelength: { parameter: 'wavelength', setpointParameter: 'wavelength_setpoint' },
    ...(!dark && {
      shutter: { parameter: 'shutter' },
      emission: { parameter: 'emission' },
      commands: {
        specs: [
          {
            name: 'optimise',
            description: 'finds the best pointing',
            arguments: [
              { name: 'passes', kind: 'INTEGER', description: 'how often', required: true, minimum: 1, maximum: 5 },
              { name: 'mode', kind: 'ENUM', description: 'how', required: false, default: 'fine', choices: ['fine', 'coarse'] },
            ],
            result: 'FLOAT',
          },
        ],
        invoke: async (name, { passes, mode }) => {
          laser.heard.push(`${name} ${String(passes)} ${String(mode)}`)
          laser.underWay = true
          return 0.97
        },
      },
    }),
    read: async (names) => new Map(names.map((name): [string, Measured] => [name, { value: laser.read(name) }])),
    write: async (name, value) => laser.write(name, value),
    underWay: async () => {
      laser.asked += 1
      if (laser.fault !== undefined) {
        laser.underWay = false
        throw new HardwareFault(`it reports ${laser.fault}`, 'DONE', { instrumentCode: laser.fault })
      }
      return laser.underWay
    },
    makeSafe: async () => {
      laser.heard.push('make safe')
      laser.open = false
      laser.on = false
    },
    emergencyStop: async () => {
      laser.heard.push('emergency stop')
      laser.open = false
      laser.on = false
      return { confirmed: Promise.resolve(true) }
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}
