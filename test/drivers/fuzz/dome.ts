import { ALIGNMENTS, decodeFrame } from '../../../drivers/dome-rotator/ems22a.ts'
import { parseEvent, parseStatus } from '../../../drivers/dome-rotator/protocol.ts'
import type { FuzzedDriver } from './table.ts'

export const dome: readonly FuzzedDriver[] = [
  {
    driverIds: ['dome-rotator'],
    parsers: [
      { name: 'status', parse: parseStatus, captures: ['IDLE', 'MOVING 5394', 'MOVING 0'], tellsTruncation: false },
      { name: 'events', parse: parseEvent, captures: ['READY', 'BUSY', 'OK 5394', 'STOPPED 12', 'ERROR invalid_steps'], tellsTruncation: false },
      ...ALIGNMENTS.map((alignment) => ({
        name: `frames, ${alignment}`,
        parse: (frame: string): unknown => {
          const decoded = decodeFrame(Buffer.from(frame, 'latin1'), alignment)
          return 'fault' in decoded ? undefined : decoded
        },
        captures: [alignment === 'legacy' ? '\u0020\u0010' : '\u0040\u0020'],
        tellsTruncation: true,
      })),
    ],
  },
]
