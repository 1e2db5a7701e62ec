/** What a device can do. Derived from the facets that its driver implements (drivers/driver.ts), never declared beside them. */
export const CAPABILITIES = [
  'MOVABLE',
  'READABLE',
  'TRIGGERABLE',
  'EXPOSURE_CONTROL',
  'FRAME_PRODUCER',
  'PARAMETERIZED',
  'SETTABLE',
  'SWITCHABLE',
  'ACTIONABLE',
  'LOGGABLE',
  'STAGEABLE',
  'COMMANDABLE',
  'WAVELENGTH_TUNABLE',
  'SHUTTER_CONTROL',
  'EMISSION_CONTROL',
  'ANALOG_INPUT',
  'ANALOG_OUTPUT',
  'DIGITAL_IO',
  'COUNTER',
  'REGISTER_BANK',
] as const
export type Capability = (typeof CAPABILITIES)[number]
