import { parseCurve, parseIdentity, parseMotor, parsePulses, parseStatus, parseVelocity } from '../../../drivers/thorlabs-ell14/protocol.ts'
import type { FuzzedDriver } from './table.ts'

const whole = { tellsTruncation: true }

export const thorlabs: readonly FuzzedDriver[] = [
  {
    driverIds: ['thorlabs-ell14'],
    parsers: [
      {
        name: 'identities',
        parse: parseIdentity,
        captures: ['2IN0E1140051720231701016800023000', '3IN0E1140028420211501016800023000', '8IN0E1140060920231701016800023000'],
        ...whole,
      },
      { name: 'status', parse: parseStatus, captures: ['2GS00', '3GS02', 'AGS0D'], ...whole },
      { name: 'positions', parse: (line) => parsePulses(line, 'PO'), captures: ['2PO00004600', '3POFFFFFFFE'], ...whole },
      { name: 'jog steps', parse: (line) => parsePulses(line, 'GJ'), captures: ['2GJ00001000'], ...whole },
      { name: 'velocities', parse: parseVelocity, captures: ['2GV64', '2GV32'], ...whole },
      { name: 'motors', parse: (line) => parseMotor(line, 1), captures: ['2I1100B85FFFFFFFF00B7008D'], ...whole },
      {
        name: 'current curves',
        parse: (line) => parseCurve(Buffer.from(line, 'latin1')),
        captures: ['\u0000\u00b7\u0000\u0000\u000b\u0085'],
        tellsTruncation: false,
      },
    ],
  },
]
