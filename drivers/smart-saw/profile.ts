/**
 * The register profile of the band saw's PLC: where each quantity is and how it is coded. Holding registers 1000 to 1043 are the machine's state,
 * 2041 and 2066 the two speed targets. The block 2000 to 2251 of older firmware means other things and is not used.
 */
export type Coding =
  | 'u16'
  /** Two's complement: 65535 is -1, for temperatures below zero and a descent that goes up as much as for a deviation. */
  | 'i16'
  /** Two's complement, of which the controller's sign is a direction that nobody asked for. */
  | 'magnitude'
  /** IEEE-754 single precision, low word first. */
  | 'f32'
  /** A code of the maker's, kept as text. */
  | 'code'
  | 'state'
  | 'alarms'

export type Register = {
  readonly at: number
  readonly name: string
  readonly description: string
  readonly coding: Coding
  /** The word counts this many to one unit. */
  readonly perUnit?: number
  readonly unit?: string
  readonly deadband?: number
  readonly settable?: { readonly minimum: number; readonly maximum: number; readonly step: number }
}

const STATE_BLOCK: readonly Register[] = [
  { at: 1000, name: 'machine_id', description: 'Number of the machine', coding: 'u16' },
  { at: 1001, name: 'band_id', description: 'Number of the band', coding: 'u16' },
  { at: 1002, name: 'tooth_pitch', description: 'Tooth pitch of the band', coding: 'u16', unit: 'mm' },
  { at: 1003, name: 'band_type', description: 'Code of the type of the band', coding: 'code' },
  { at: 1004, name: 'band_brand', description: 'Code of the brand of the band', coding: 'code' },
  { at: 1005, name: 'band_material', description: 'Code of the material of the band', coding: 'code' },
  { at: 1006, name: 'material_type', description: 'Code of the type of the material', coding: 'code' },
  { at: 1007, name: 'material_hardness', description: 'Code of the hardness of the material', coding: 'code' },
  { at: 1008, name: 'material_section', description: 'Code of the section of the material', coding: 'code' },
  { at: 1009, name: 'dimension_a', description: 'Dimension A of the material', coding: 'u16', perUnit: 10, unit: 'mm' },
  { at: 1010, name: 'dimension_b', description: 'Dimension B of the material', coding: 'u16', perUnit: 10, unit: 'mm' },
  { at: 1011, name: 'dimension_c', description: 'Dimension C of the material', coding: 'u16', perUnit: 10, unit: 'mm' },
  { at: 1012, name: 'dimension_d', description: 'Dimension D of the material', coding: 'u16', perUnit: 10, unit: 'mm' },
  { at: 1013, name: 'head_height', description: 'Height of the saw head', coding: 'u16', perUnit: 10, unit: 'mm' },
  { at: 1014, name: 'pieces_cut', description: 'Pieces cut', coding: 'u16' },
  { at: 1015, name: 'band_motor_current', description: 'Current of the band motor', coding: 'u16', perUnit: 10, unit: 'A', deadband: 0.1 },
  { at: 1016, name: 'band_motor_torque', description: 'Torque of the band motor', coding: 'u16', perUnit: 10, unit: '%', deadband: 0.2 },
  {
    at: 1017,
    name: 'descent_motor_current',
    description: 'Current of the descent motor, without its direction',
    coding: 'magnitude',
    perUnit: 100,
    unit: 'A',
    deadband: 0.02,
  },
  { at: 1018, name: 'descent_motor_torque', description: 'Torque of the descent motor', coding: 'u16', unit: '%', deadband: 1 },
  { at: 1019, name: 'vice_pressure', description: 'Pressure of the vices', coding: 'u16', perUnit: 10, unit: 'bar', deadband: 0.1 },
  { at: 1020, name: 'band_tension', description: 'Tension of the band', coding: 'u16', perUnit: 10, unit: 'bar', deadband: 0.1 },
  { at: 1021, name: 'acceleration_x', description: 'Acceleration along X; its scale is not documented', coding: 'i16' },
  { at: 1022, name: 'acceleration_y', description: 'Acceleration along Y; its scale is not documented', coding: 'i16' },
  { at: 1023, name: 'acceleration_z', description: 'Acceleration along Z; its scale is not documented', coding: 'i16' },
  { at: 1024, name: 'band_deviation', description: 'Deviation of the band from its plane', coding: 'i16', perUnit: 100, unit: 'mm', deadband: 0.01 },
  { at: 1025, name: 'ambient_temperature', description: 'Temperature of the room', coding: 'i16', perUnit: 10, unit: 'Cel', deadband: 0.1 },
  { at: 1026, name: 'humidity', description: 'Relative humidity of the room', coding: 'u16', perUnit: 10, unit: '%', deadband: 0.2 },
  { at: 1027, name: 'coolant_temperature', description: 'Temperature of the coolant', coding: 'i16', perUnit: 10, unit: 'Cel', deadband: 0.1 },
  { at: 1028, name: 'hydraulic_oil_temperature', description: 'Temperature of the hydraulic oil', coding: 'i16', perUnit: 10, unit: 'Cel', deadband: 0.1 },
  { at: 1029, name: 'band_temperature_raw', description: 'Band temperature as the PLC has it; its scale is not documented', coding: 'i16' },
  { at: 1030, name: 'state', description: 'What the machine is doing', coding: 'state' },
  { at: 1031, name: 'alarm_status', description: 'Alarm status; 0 is none', coding: 'u16' },
  { at: 1032, name: 'alarms', description: 'Alarms that are present, or none', coding: 'alarms' },
  { at: 1033, name: 'cutting_speed', description: 'Speed of the band', coding: 'u16', perUnit: 10, unit: 'm/min', deadband: 0.1 },
  { at: 1034, name: 'descent_speed', description: 'Speed of the saw head downwards; negative while it rises', coding: 'i16', unit: 'mm/min' },
  { at: 1035, name: 'vibration_x', description: 'Vibration along X', coding: 'u16', unit: 'Hz', deadband: 2 },
  { at: 1036, name: 'vibration_y', description: 'Vibration along Y', coding: 'u16', unit: 'Hz', deadband: 2 },
  { at: 1037, name: 'vibration_z', description: 'Vibration along Z', coding: 'u16', unit: 'Hz', deadband: 2 },
  { at: 1038, name: 'difference_frequency_x', description: 'Difference frequency along X as the PLC has it; older programs divided it by 100', coding: 'u16' },
  { at: 1039, name: 'difference_frequency_y', description: 'Difference frequency along Y as the PLC has it; older programs divided it by 100', coding: 'u16' },
  { at: 1040, name: 'difference_frequency_z', description: 'Difference frequency along Z as the PLC has it; older programs divided it by 100', coding: 'u16' },
  { at: 1041, name: 'material_width', description: 'Width of the material', coding: 'u16', perUnit: 10, unit: 'mm' },
  { at: 1042, name: 'energy', description: 'Energy used', coding: 'f32', unit: 'kW.h', deadband: 0.001 },
]

const SPEED_TARGETS: readonly Register[] = [
  {
    at: 2041,
    name: 'descent_speed_target',
    description: 'Speed at which the saw head is to come down',
    coding: 'i16',
    perUnit: 100,
    unit: 'mm/min',
    settable: { minimum: 10, maximum: 60, step: 0.01 },
  },
  {
    at: 2066,
    name: 'cutting_speed_target',
    description: 'Speed at which the band is to run, in whole m/min',
    coding: 'u16',
    unit: 'm/min',
    settable: { minimum: 40, maximum: 90, step: 1 },
  },
]

export const REGISTERS: readonly Register[] = [...STATE_BLOCK, ...SPEED_TARGETS]

/** Register 1030. */
export const STATES = ['idle', 'hydraulics active', 'band motor running', 'cutting', 'cut finished', 'saw rising', 'material feed'] as const
export type State = (typeof STATES)[number]
export const STATE_AT = 1030

/** Bits of register 1032, from the lowest. */
export const ALARMS = [
  'emergency stop',
  'cutting motor',
  'hydraulic motor',
  'coolant motor',
  'chip conveyor',
  'brush',
  'pulley cover open',
  'band broken',
  'servo overload',
  'servo over-temperature',
  'band motor',
  'measurement calculation',
  'front vice',
  'servo brake resistor',
] as const

/** Momentary commands: bits of one word. */
export const COMMAND_AT = 20
export const CUT_START = 1 << 3
export const CUT_CANCEL = 1 << 4
