import type { CommandSpec } from '../../core/command-spec.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { Operation } from './operation.ts'
import { ADDRESSES } from './protocol.ts'

const MAX_ISOLATION_MINUTES = 255 // two hex digits

const motor: SettingSpec = { name: 'motor', kind: 'INTEGER', required: true, minimum: 1, maximum: 2, description: '1 or 2' }
const address: SettingSpec = { name: 'address', kind: 'ENUM', required: true, choices: ADDRESSES, description: 'One hex digit, 0 to F' }

/** What a module can do beside parameters and motion. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'move_relative',
    description: 'Moves by a distance (mr); refused where it would leave the limits',
    arguments: [{ name: 'distance', kind: 'FLOAT', required: true, unit: 'deg', minimum: -360, maximum: 360, description: 'Negative: backward' }],
  },
  { name: 'jog_forward', description: 'Moves forward by jog_step (fw)', arguments: [] },
  { name: 'jog_backward', description: 'Moves backward by jog_step (bw)', arguments: [] },
  {
    name: 'join_group',
    description: 'Listens also to another module: the next motion of that one moves both, with one command (ga)',
    arguments: [address],
  },
  { name: 'leave_group', description: 'Listens to its own address alone (ga)', arguments: [] },
  { name: 'search_resonance', description: 'Searches the frequency of a motor anew, 5 to 15 s (s1, s2); the mount may move. Kept by save', arguments: [motor] },
  {
    name: 'current_curve',
    description:
      "Measures 87 points from 70 to 120 kHz, about 12 s in which the bus is this module's (c1, c2). Answers frequency in Hz and current in A in turn",
    arguments: [motor],
    result: 'LIST',
  },
  {
    name: 'restore_factory_frequency',
    description: 'Of one motor and direction (f1, b1, f2, b2 with 8FFF)',
    arguments: [motor, { name: 'direction', kind: 'ENUM', required: true, choices: ['forward', 'backward'], description: 'forward or backward' }],
  },
  {
    name: 'isolate',
    description: 'Says nothing on the bus for so many minutes (is); 0 ends it',
    arguments: [{ name: 'minutes', kind: 'INTEGER', required: true, minimum: 0, maximum: MAX_ISOLATION_MINUTES, description: '0 to 255' }],
  },
  { name: 'clean', description: 'Cleaning cycle, some minutes (cm); the mount moves', arguments: [], longestMs: Operation.withinMs('work') },
  { name: 'optimise', description: 'Optimises both motors, some minutes (om); the mount moves', arguments: [], longestMs: Operation.withinMs('work') },
  { name: 'skip_frequency_search', description: 'No search when it is switched on (sk)', arguments: [] },
  { name: 'enable_frequency_search', description: 'A search of about 15 s when it is switched on (se)', arguments: [] },
  { name: 'save', description: 'Keeps frequencies, velocity, address and the like over a power cut (us)', arguments: [] },
  { name: 'change_address', description: 'Gives the module another address (ca); then set its busAddress too', arguments: [address] },
]
