import * as meter from '../../../drivers/newport-1830c/protocol.ts'
import * as stages from '../../../drivers/newport-esp300/protocol.ts'
import { parseUnit } from '../../../drivers/newport-esp300/units.ts'
import type { FuzzedDriver } from './table.ts'

const bare = { tellsTruncation: false }
const whole = { tellsTruncation: true }

export const newport: readonly FuzzedDriver[] = [
  {
    driverIds: ['newport-esp300'],
    parsers: [
      { name: 'numbers', parse: stages.parseNumber, captures: ['12.3456', '-0.0002', '0.400000', '2', '1E-05', '.5'], ...bare },
      { name: 'flags', parse: stages.parseFlag, captures: ['0', '1'], ...whole },
      { name: 'errors', parse: stages.parseError, captures: ['0', '7', '38', '213', '306'], ...bare },
      { name: 'error texts', parse: stages.parseErrorText, captures: ['108, 451339, MOTOR OR STAGE NOT CONNECTED', '0, 451322, NO ERROR DETECTED'], ...bare },
      { name: 'status', parse: stages.parseStatus, captures: ['P', 'Q', '@'], ...whole },
      { name: 'units', parse: parseUnit, captures: ['2', '7', '10'], ...bare },
    ],
  },
  {
    driverIds: ['newport-1830c'],
    parsers: [
      { name: 'watts', parse: (reply) => meter.parsePower(reply, 'W'), captures: ['+.11E-9', '5E-9', '+1.234E-3', '-.05E-9'], ...bare },
      { name: 'dBm', parse: (reply) => meter.parsePower(reply, 'dBm'), captures: ['-15.24', '+3.01', '.5'], ...bare },
      { name: 'wavelengths', parse: meter.parseWavelength, captures: ['0800', '1064', '0300'], ...whole },
      { name: 'ranges', parse: meter.parseRange, captures: ['0', '8'], ...whole },
      { name: 'filters', parse: meter.parseFilter, captures: ['1', '3'], ...whole },
      { name: 'switches', parse: meter.parseSwitch, captures: ['0', '1'], ...whole },
      { name: 'status', parse: meter.parseStatus, captures: ['0', '128', '255'], ...bare },
    ],
  },
]
