/** Ids of PVCAM's parameters that the driver handles one by one: class << 16 | type << 24 | number (pvcam.h). */
export const ID = {
  READOUT_PORT: 0x090200f7,
  SPEED_INDEX: 0x01020201,
  PIXEL_TIME: 0x06020204,
  GAIN_INDEX: 0x01020200,
  GAIN_NAME: 0x0d020202,
  EXPOSURE_MODE: 0x09020217,
  EXPOSE_OUT_MODE: 0x09020230,
  EXPOSURE_RESOLUTION: 0x09030002,
  EXPOSURE_TIME: 0x08030008,
  METADATA_ENABLED: 0x0b0300a8,
  REGION_COUNT: 0x060300a9,
  BINNING_SERIAL: 0x090300a5,
  BINNING_PARALLEL: 0x090300a6,
  POST_INDEX: 0x0102021f,
  POST_NAME: 0x0d02021e,
  POST_PARAMETER_INDEX: 0x01020221,
  POST_PARAMETER_NAME: 0x0d020222,
  POST_PARAMETER: 0x07020223,
} as const

export const EXPOSURE_RESOLUTION_SECONDS: ReadonlyMap<number, number> = new Map([
  [0, 1e-3],
  [1, 1e-6],
  [2, 1],
])

/** Extended exposure modes that are not waiting for an outside signal. */
export const INTERNAL_TRIGGER = 1792
export const TIMED = 0
export const SOFTWARE_FIRST = 2816
export const SOFTWARE_EDGE = 3072
