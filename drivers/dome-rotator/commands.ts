import type { CommandSpec } from '../../core/command-spec.ts'
import { PIER_SIDES } from '../../core/dome-geometry.ts'

const azimuth = { name: 'azimuth', kind: 'FLOAT', required: true, unit: 'deg', minimum: 0, maximum: 360, description: 'From north through east' } as const

/** `longestMs`: of what turns the dome, which takes minutes. */
export const rotatorCommands = (longestMs: number): readonly CommandSpec[] => [
  {
    name: 'point',
    description: 'Turns the slit to where the telescope looks through it; answers with the azimuth of the dome',
    arguments: [
      { name: 'altitude', kind: 'FLOAT', required: true, unit: 'deg', minimum: 0, maximum: 90, description: 'Of the target' },
      { ...azimuth, description: 'Of the target, from north through east' },
      {
        name: 'pier_side',
        kind: 'ENUM',
        required: true,
        choices: PIER_SIDES,
        description: 'Where the tube is: west of the pier it usually looks east. The slit depends on it, so it is never guessed',
      },
    ],
    result: 'FLOAT',
    longestMs,
  },
  {
    name: 'calibrate',
    description: 'Looks for the recalibration switch near by: 7 deg back, then 14 deg forth',
    arguments: [],
    longestMs,
  },
  { name: 'set_azimuth', description: 'Says where the slit is now, as a calibration does; nothing moves', arguments: [azimuth] },
]
