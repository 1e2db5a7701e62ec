import type { DeviceSettings } from '../../core/device.ts'
import { FITTED_GEOMETRY, type MountGeometry } from '../../core/dome-geometry.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { parseAddress } from '../address.ts'
import { addressOf, addressSetting, choiceOf, flagOf, numberOf, optionalNumberOf, refuseUnknown, textOf } from '../settings.ts'
import { ALIGNMENTS, type Alignment } from './ems22a.ts'
import type { Sector } from './feedback.ts'
import { RAMP_SHAPES, type RampShape } from './ramp.ts'
import type { WheelOptions } from './wheel-count.ts'

const number = (name: string, byDefault: number | undefined, description: string, more: Partial<SettingSpec> = {}): SettingSpec => ({
  name,
  kind: 'FLOAT',
  required: false,
  description,
  ...(byDefault !== undefined && { default: String(byDefault) }),
  ...more,
})
const WHOLE = { kind: 'INTEGER', minimum: 0, maximum: 1_000_000 } as const
const DEGREES = { unit: 'deg', minimum: 0, maximum: 360 } as const

const stepDelay = number('stepDelay', 260, 'Between two steps at speed; 260 us are 43 deg/min. At 120 to 150 us motors were heard to scream and lose steps', {
  kind: 'INTEGER', // the controller takes no other
  unit: 'us',
  minimum: 50,
  maximum: 10_000, // 1.1 deg/min; in a ramp the controller looks at its port every 100 steps, and must still answer in time
})
const ramp = {
  name: 'ramp',
  kind: 'ENUM',
  required: false,
  default: 'SCURVE',
  choices: RAMP_SHAPES,
  description: 'How the motor is brought to speed, over 500 steps from 3000 us',
} as const satisfies SettingSpec
const directionReversed = {
  name: 'directionReversed',
  kind: 'BOOLEAN',
  required: false,
  default: 'false',
  description: 'true where direction 1 (DIR high) makes the azimuth fall',
} as const satisfies SettingSpec
const motorSteps = number('motorSteps', 200, 'Full steps in a turn of the motor', { ...WHOLE, minimum: 1 })
const microsteps = number('microsteps', 4, 'Of a full step, as the motor driver is set', { ...WHOLE, minimum: 1 })
const gearRatio = number('gearRatio', 2230, 'Turns of the motor in a turn of the dome', { minimum: 0.001, maximum: 1e6 })
const stepsCorrection = number('stepsCorrection', 1.08849, 'What measuring has shown the gear ratio to be off by; with the defaults, 1941866 steps a turn', {
  minimum: 0.1,
  maximum: 10,
})
const stepLine = number('stepLine', 18, 'With a gpio address: the line of STEP', WHOLE)
const directionLine = number('directionLine', 17, 'With a gpio address: the line of DIR', WHOLE)
const warmUpSteps = number('warmUpSteps', 10, 'With a gpio address: first steps of 10 ms each, before the ramp', WHOLE)
const encoder = {
  name: 'encoder',
  kind: 'TEXT',
  required: false,
  description: 'Where the EMS22A is, e.g. spi:///dev/spidev0.0; absent: the azimuth is counted in steps, and doubtful',
} as const satisfies SettingSpec
const spiSpeed = number('spiSpeed', 500_000, 'Clock of the encoder; it takes up to 1 MHz', { kind: 'INTEGER', unit: 'Hz', minimum: 1000, maximum: 1_000_000 })
const alignment = {
  name: 'alignment',
  kind: 'ENUM',
  required: false,
  default: 'standard',
  choices: ALIGNMENTS,
  description: "legacy: read in SPI mode 0, one bit late, as DriftApp does, without parity; DriftApp's calibration holds in both",
} as const satisfies SettingSpec
const encoderFactor = number('encoderFactor', 0.0108514, "DriftApp's calibration factor: azimuth = total / 1024 x 360 x factor x sign", {
  minimum: 1e-6,
  maximum: 1,
})
const encoderReversed = {
  name: 'encoderReversed',
  kind: 'BOOLEAN',
  required: false,
  default: 'true',
  description: 'true where the encoder counts down while the azimuth rises',
} as const satisfies SettingSpec
const fastest = number('fastest', 1.3, 'What the dome can do; faster motion of the encoder is a jump. 79 deg/min is the fastest documented', {
  unit: 'deg/s',
  minimum: 0.01,
  maximum: 1000,
})
const switchAddress = {
  name: 'recalibrationSwitch',
  kind: 'TEXT',
  required: false,
  description: 'Chip of the recalibration switch, e.g. gpio:///dev/gpiochip0; absent: there is none',
} as const satisfies SettingSpec
const switchLine = number('switchLine', 27, 'Line of the recalibration switch, pulled up; 0 while pressed', WHOLE)
const switchTotal = number('switchTotal', -11_795, "The encoder's total at the switch; -11795 is 44.997 deg", { minimum: -1e6, maximum: 1e6 })
const startAzimuth = number(
  'startAzimuth',
  undefined,
  'Where the dome is parked, for a station that does not remember where it was; until calibrated, such azimuths are doubtful',
  DEGREES,
)
const azimuthMinimum = number('azimuthMinimum', undefined, 'With azimuthMaximum: where the dome may be, rising from here; absent: everywhere', DEGREES)
const azimuthMaximum = number('azimuthMaximum', undefined, 'See azimuthMinimum', DEGREES)
const tolerance = number('tolerance', 0.5, 'How near to its target a move must end, by the encoder', { unit: 'deg', minimum: 0.02, maximum: 10 })
const corrections = number('corrections', 10, 'How often a move is corrected by the encoder before it has failed', { ...WHOLE, maximum: 100 })
const domeTable = {
  name: 'domeTable',
  kind: 'TEXT',
  required: false,
  description:
    'File with a measured table (CSV or JSON: altitude, azimuth, dome, pierSide) for the command point; absent: the geometry below; generated: a table of 275 ' +
    'points a side, made from that geometry',
} as const satisfies SettingSpec
const outOfBounds = {
  name: 'outOfBounds',
  kind: 'ENUM',
  required: false,
  default: 'refuse',
  choices: ['refuse', 'extend'],
  description: 'What the command point does with targets for which the table or geometry was not made (altitudes outside 30 to 85 deg)',
} as const satisfies SettingSpec
const RADII = { minimum: -1, maximum: 1 } as const
const latitude = number('latitude', FITTED_GEOMETRY.latitude, 'Of the site', { unit: 'deg', minimum: -90, maximum: 90 })
const tubeOffset = number('tubeOffset', FITTED_GEOMETRY.tubeOffset, "Distance of the tube from the mount's axes, in radii of the dome", RADII)
const mountEast = number('mountEast', FITTED_GEOMETRY.east, "Of the dome's centre, in radii of the dome", RADII)
const mountNorth = number('mountNorth', FITTED_GEOMETRY.north, "Of the dome's centre, in radii of the dome", RADII)
const mountUp = number('mountUp', FITTED_GEOMETRY.up, "Above the dome's centre, in radii of the dome", RADII)

export const SETTINGS: readonly SettingSpec[] = [
  addressSetting('serial:///dev/serial/by-id/usb-Raspberry_Pi_Pico-if00 for the RP2040 controller, gpio:///dev/gpiochip0 for step and direction lines'),
  ...[stepDelay, ramp, directionReversed, motorSteps, microsteps, gearRatio, stepsCorrection, stepLine, directionLine, warmUpSteps],
  ...[encoder, spiSpeed, alignment, encoderFactor, encoderReversed, fastest, switchAddress, switchLine, switchTotal, startAzimuth],
  ...[azimuthMinimum, azimuthMaximum, tolerance, corrections, domeTable, outOfBounds, latitude, tubeOffset, mountEast, mountNorth, mountUp],
]

export type RotatorSettings = {
  readonly address: string
  readonly lines: { readonly stepLine: number; readonly directionLine: number; readonly warmUpSteps: number }
  readonly drive: {
    readonly delayUs: number
    readonly ramp: RampShape
    /** The level of DIR that makes the azimuth rise. */
    readonly rising: 0 | 1
    readonly stepsPerRevolution: number
  }
  readonly encoder?: { readonly address: string; readonly speedHz: number; readonly alignment: Alignment }
  readonly wheel: WheelOptions
  readonly recalibration?: { readonly address: string; readonly line: number }
  readonly startAzimuth?: number
  readonly sector?: Sector
  readonly tolerance: number
  readonly corrections: number
  readonly domeTable?: string
  readonly outOfBounds: 'refuse' | 'extend'
  readonly geometry: MountGeometry
}

/** Checks every setting; throws InvalidValue. */
export function locate(settings: DeviceSettings): RotatorSettings {
  refuseUnknown(settings, SETTINGS)
  const encoderAddress = otherAddress(settings, encoder, 'spi')
  const switchChip = otherAddress(settings, switchAddress, 'gpio')
  const start = optionalNumberOf(settings, startAzimuth)
  const sector = sectorOf(settings)
  const table = textOf(settings, domeTable)
  return {
    address: addressOf(settings, 'serial', 'gpio'),
    lines: { stepLine: numberOf(settings, stepLine), directionLine: numberOf(settings, directionLine), warmUpSteps: numberOf(settings, warmUpSteps) },
    drive: {
      delayUs: numberOf(settings, stepDelay),
      ramp: choiceOf(settings, ramp),
      rising: flagOf(settings, directionReversed) ? 0 : 1,
      stepsPerRevolution: Math.trunc(
        numberOf(settings, motorSteps) * numberOf(settings, microsteps) * numberOf(settings, gearRatio) * numberOf(settings, stepsCorrection),
      ),
    },
    wheel: {
      factor: numberOf(settings, encoderFactor),
      sign: flagOf(settings, encoderReversed) ? -1 : 1,
      switchTotal: numberOf(settings, switchTotal),
      fastest: numberOf(settings, fastest),
    },
    tolerance: numberOf(settings, tolerance),
    corrections: numberOf(settings, corrections),
    outOfBounds: choiceOf(settings, outOfBounds),
    geometry: {
      latitude: numberOf(settings, latitude),
      tubeOffset: numberOf(settings, tubeOffset),
      east: numberOf(settings, mountEast),
      north: numberOf(settings, mountNorth),
      up: numberOf(settings, mountUp),
    },
    ...(encoderAddress !== undefined && {
      encoder: { address: encoderAddress, speedHz: numberOf(settings, spiSpeed), alignment: choiceOf(settings, alignment) },
    }),
    ...(switchChip !== undefined && { recalibration: { address: switchChip, line: numberOf(settings, switchLine) } }),
    ...(start !== undefined && { startAzimuth: start }),
    ...(sector !== undefined && { sector }),
    ...(table !== '' && { domeTable: table }),
  }
}

function otherAddress(settings: DeviceSettings, spec: SettingSpec, kind: 'spi' | 'gpio'): string | undefined {
  const text = textOf(settings, spec)
  if (text === '') return undefined
  const parsed = parseAddress(text, [spec.name])
  if (parsed.kind !== kind && parsed.kind !== 'sim')
    throw new InvalidValue(`${text} is a ${parsed.kind} address; ${spec.name} needs a ${kind} address`, [spec.name])
  return text
}

function sectorOf(settings: DeviceSettings): Sector | undefined {
  const minimum = optionalNumberOf(settings, azimuthMinimum)
  const maximum = optionalNumberOf(settings, azimuthMaximum)
  if (minimum === undefined && maximum === undefined) return undefined
  if (minimum === undefined || maximum === undefined || minimum === maximum)
    throw new InvalidValue('azimuthMinimum and azimuthMaximum belong together, and differ', [minimum === undefined ? 'azimuthMinimum' : 'azimuthMaximum'])
  return { minimum, maximum }
}
