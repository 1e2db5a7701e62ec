import { ALIGNMENTS, decodeFrame } from '../../../drivers/dome-rotator/ems22a.ts'
import { parseEvent, parseStatus } from '../../../drivers/dome-rotator/protocol.ts'
import { parseDeviceInfo, parseError, parseInput, parseSet, parseSwitch } from '../../../drivers/dome-shutter/protocol.ts'
import type { FuzzedDriver } from './table.ts'

const whole = { tellsTruncation: true } // JSON has an end

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
  {
    driverIds: ['dome-shutter'],
    parsers: [
      { name: 'modules', parse: parseDeviceInfo, captures: ['{"name":null,"id":"shellypro4pm-f008d1d8b8b8","model":"SPSW-004PE16EU","gen":2}'], ...whole },
      { name: 'what a switch was', parse: parseSet, captures: ['{"was_on":false}', '{"was_on":true}'], ...whole },
      { name: 'switches', parse: (text) => parseSwitch(text, 1), captures: ['{"id":1,"source":"HTTP_in","output":true}'], ...whole },
      { name: 'inputs', parse: (text) => parseInput(text, 0), captures: ['{"id":0,"state":false}'], ...whole },
      { name: 'errors', parse: parseError, captures: ['{"code":404,"message":"No handler for Switch.Gett"}'], ...whole },
    ],
  },
]
