/** What the driver knows of PVCAM's parameters beside what each camera says of them. */
export type KnownParameter = {
  readonly name: string
  readonly id: number
  readonly description: string
  /** UCUM. */
  readonly unit?: string
  /** What one of the camera's counts is in `unit`. */
  readonly scale?: number
  /** It changes without being set, so that what was read before a stream is doubtful during it: by itself, where the camera is asked at each reading, or at a stream's set-up. */
  readonly changes?: 'BY_ITSELF' | 'AT_SET_UP'
  readonly pollMs?: number
  readonly deadband?: number
  /** Of an enumeration: the camera's values that are not offered. */
  readonly without?: readonly number[]
  /** Never set by anybody: it is the driver's. */
  readonly readOnly?: true
}

const TEMPERATURE_POLL_MS = 2000
const HUNDREDTHS = 0.01
/** Host rotations by a quarter, which would change the shape of the frames. */
const QUARTERS = [1, 3]

export const KNOWN_PARAMETERS: readonly KnownParameter[] = [
  {
    name: 'temperature',
    id: 0x0102020d,
    description: 'Temperature of the sensor; not read while the camera streams',
    unit: 'Cel',
    scale: HUNDREDTHS,
    changes: 'BY_ITSELF',
    pollMs: TEMPERATURE_POLL_MS,
    deadband: 0.05,
  },
  { name: 'temperature_setpoint', id: 0x0102020e, description: 'Temperature that the sensor is cooled to', unit: 'Cel', scale: HUNDREDTHS },
  { name: 'fan_speed', id: 0x090202c6, description: 'Speed of the fan' },
  { name: 'clear_mode', id: 0x0902020b, description: 'When the sensor is cleared of charge' },
  { name: 'clear_cycles', id: 0x06020061, description: 'How often the sensor is cleared each time' },
  { name: 'readout_time', id: 0x040200b3, description: 'Time to read one frame out, as the last stream was set up', unit: 'us', changes: 'AT_SET_UP' },
  { name: 'clearing_time', id: 0x100200b4, description: 'Time to clear the sensor, as the last stream was set up', unit: 'ns', changes: 'AT_SET_UP' },
  { name: 'pre_trigger_delay', id: 0x100200b6, description: 'From a trigger to the exposure, as the last stream was set up', unit: 'ns', changes: 'AT_SET_UP' },
  {
    name: 'post_trigger_delay',
    id: 0x100200b5,
    description: 'From the exposure’s end to the next trigger, as the last stream was set up',
    unit: 'ns',
    changes: 'AT_SET_UP',
  },
  { name: 'pixel_time', id: 0x06020204, description: 'Time to convert one pixel at the present speed', unit: 'ns' },
  { name: 'bit_depth', id: 0x010201ff, description: 'Bits of a pixel at the present speed and gain', unit: '{bit}' },
  { name: 'adc_offset', id: 0x010200c3, description: 'Offset of the converter', unit: '{count}' },
  { name: 'full_well_capacity', id: 0x070201fa, description: 'Charge that a pixel holds', unit: '{electron}' },
  { name: 'pre_mask', id: 0x06020035, description: 'Masked rows before the image', unit: '{pixel}' },
  { name: 'post_mask', id: 0x06020036, description: 'Masked rows behind the image', unit: '{pixel}' },
  { name: 'pre_scan', id: 0x06020037, description: 'Pixels that are read out before the first column', unit: '{pixel}' },
  { name: 'post_scan', id: 0x06020038, description: 'Pixels that are read out behind the last column', unit: '{pixel}' },
  { name: 'shutter_mode', id: 0x09020209, description: 'When the shutter opens. A shutter is no interlock' },
  { name: 'shutter_status', id: 0x0902020a, description: 'What the shutter does', changes: 'BY_ITSELF' },
  { name: 'shutter_open_delay', id: 0x06020208, description: 'Time that the shutter needs to open', unit: 'ms' },
  { name: 'shutter_close_delay', id: 0x06020207, description: 'Time that the shutter needs to close', unit: 'ms' },
  { name: 'smart_stream_enabled', id: 0x0b0202bc, description: 'Whether exposures follow a list in the camera' },
  { name: 'smart_stream_mode', id: 0x060202bd, description: 'How exposures follow the list, as the camera numbers it' },
  { name: 'metadata_enabled', id: 0x0b0300a8, description: 'Whether each frame carries its own times and regions; several regions need it' },
  { name: 'host_rotate', id: 0x09020100, description: 'Rotation of the frames by the library; only those that keep their shape', without: QUARTERS },
  { name: 'host_flip', id: 0x09020101, description: 'Mirroring of the frames by the library' },
  { name: 'host_summing_enabled', id: 0x0b020102, description: 'Whether the library adds up frames' },
  { name: 'host_summing_count', id: 0x07020103, description: 'How many frames the library adds up to one' },
  { name: 'centroids_enabled', id: 0x0b0300aa, description: 'Whether only the surroundings of bright spots are sent; the rest of each frame is 0' },
  { name: 'centroids_radius', id: 0x060300ab, description: 'Half the side of what is sent around a spot', unit: '{pixel}' },
  { name: 'centroids_count', id: 0x060300ac, description: 'The most spots that are sent of a frame' },
  { name: 'centroids_mode', id: 0x090300ad, description: 'How spots are found' },
  { name: 'centroids_background_count', id: 0x090300ae, description: 'Frames from which the background is taken that is removed' },
  { name: 'centroids_threshold', id: 0x070300af, description: 'How far above the noise a spot is, in the camera’s own steps of a sixteenth' },
  { name: 'scan_mode', id: 0x090300fa, description: 'How rows follow each other' },
  { name: 'scan_direction', id: 0x090300fb, description: 'From which side rows are read' },
  { name: 'scan_line_delay', id: 0x060300fd, description: 'Added to the time of a row, in times of a row' },
  { name: 'scan_width', id: 0x060300ff, description: 'Rows that are exposed at the same time' },
  { name: 'scan_line_time', id: 0x100300fe, description: 'From one row to the next', unit: 'ns' },
  { name: 'cooling_mode', id: 0x090200d6, description: 'How the sensor is cooled' },
  { name: 'color_mode', id: 0x090201f8, description: 'Colour filters of the sensor' },
  { name: 'image_format', id: 0x090200f8, description: 'Format of the pixels', readOnly: true },
  { name: 'model_name', id: 0x0d020084, description: 'What the camera is sold as' },
  { name: 'part_number', id: 0x0d020085, description: 'Part number of the camera' },
  { name: 'interface', id: 0x0900000a, description: 'How the camera is connected' },
]
