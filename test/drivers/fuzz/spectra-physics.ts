import * as laser from '../../../drivers/spectra-physics-maitai/protocol.ts'
import type { FuzzedDriver } from './table.ts'

const bare = { tellsTruncation: false }
const whole = { tellsTruncation: true } // the unit is the end

export const spectraPhysics: readonly FuzzedDriver[] = [
  {
    driverIds: ['spectra-physics-maitai'],
    parsers: [
      { name: 'wavelengths', parse: laser.parseNanometres, captures: ['820nm', '780 nm', '1040.5nm'], ...whole },
      { name: 'powers', parse: laser.parseWatts, captures: ['3.000W', '850mW', '0.00W'], ...whole },
      { name: 'percentages', parse: laser.parsePercent, captures: ['100.00%', '7.26%'], ...whole },
      { name: 'switches', parse: laser.parseSwitch, captures: ['0', '1'], ...whole },
      { name: 'status', parse: laser.parseStatus, captures: ['0', '8', '9', '255'], ...bare },
      { name: 'error codes', parse: laser.parseCode, captures: ['0', '116'], ...bare },
      { name: 'modes', parse: laser.parseMode, captures: ['POW', 'PCUR'], ...bare },
    ],
  },
]
