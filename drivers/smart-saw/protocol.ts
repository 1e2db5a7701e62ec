/**
 * What the saw's PLC does with its registers, for the simulated one; the driver knows the machine by profile.yaml alone. Addresses of holding registers,
 * and bits of them.
 */

/** Register 1030. */
export const STATES = ['idle', 'hydraulics active', 'band motor running', 'cutting', 'cut finished', 'saw rising', 'material feed'] as const
export type State = (typeof STATES)[number]

/** Of register 1032, by the name of the fault. */
export const ALARMS = {
  'emergency-stop': 0x0001,
  'cutting-motor': 0x0002,
  'hydraulic-motor': 0x0004,
  'coolant-motor': 0x0008,
  'chip-conveyor': 0x0010,
  brush: 0x0020,
  'pulley-cover-open': 0x0040,
  'band-broken': 0x0080,
  'servo-overload': 0x0100,
  'servo-over-temperature': 0x0200,
  'band-motor': 0x0400,
  'measurement-calculation': 0x0800,
  'front-vice': 0x1000,
  'servo-brake-resistor': 0x2000,
} as const
export type Alarm = keyof typeof ALARMS

export const AUTOMATIC_AT = 2
export const COMMAND_AT = 20
/** Bits of register 20. */
export const COMMAND = {
  cutStart: 1 << 3,
  cutCancel: 1 << 4,
  rearViceOpen: 1 << 5,
  frontViceOpen: 1 << 6,
  materialForward: 1 << 7,
  materialBack: 1 << 8,
  sawUp: 1 << 9,
  sawDown: 1 << 10,
  automaticStart: 1 << 13,
  reset: 1 << 14,
} as const
export const MACHINE_AT = 102
export const MACHINE_START = 1 << 0
export const COOLANT_AT = 2000
export const COOLANT = 1 << 1
export const DESCENT_TARGET_AT = 2041 // hundredths of mm/min
export const QUANTITY_AT = 2050
export const PIECES_AUTOMATIC_AT = 2056
export const CUTTING_TARGET_AT = 2066 // m/min

/** IEEE-754 single precision, low word first. */
export function floatWords(value: number): readonly [low: number, high: number] {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  return [view.getUint16(2), view.getUint16(0)]
}
