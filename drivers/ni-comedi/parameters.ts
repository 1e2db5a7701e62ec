import type { CommandSpec } from '../../core/command-spec.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import { COMEDI_REFERENCES, type ComediBoard, type ComediRange, type ComediReference, type ComediSubdevice } from '../../native/types.ts'
import { NOW, rangeName } from './protocol.ts'

const INPUT_POLL_MS = 500
const LINE_POLL_MS = 500
const INPUT_DEADBAND_VOLTS = 0.001 // three times the noise of the widest range
const COUNTER_LEAST_MAXDATA = 0xffff // the board's frequency output is told as a counter too, of four bits
const MOST_SAMPLES = 1000 // a longer list is no value
export const FASTEST_HZ = 100_000 // of the board, all inputs together: a conversion takes 10 us
export const SLOWEST_HZ = 2 // its timer is 24 bits of 50 ns

const PFI_SUBDEVICE = 7 // in the order of the kernel's ni_* drivers

/** What of a board the driver uses, by what the board says of itself. */
export type Layout = {
  readonly inputs: ComediSubdevice & { readonly index: number }
  readonly outputs: (ComediSubdevice & { readonly index: number; readonly range: number; readonly span: ComediRange }) | undefined
  /** The first digital subdevice: the lines at the board's own connector. */
  readonly lines: { readonly index: number; readonly channels: number } | undefined
  /** How many programmable function inputs a command may wait for. */
  readonly pins: number
  readonly counters: readonly { readonly index: number; readonly maxdata: number }[]
  readonly frequencyOutput: number | undefined
}

/** undefined when the board has no analog inputs. `outputRange`: name of the range of every analog output, if the board has it. */
export function layoutOf(board: ComediBoard, outputRange: string): Layout | undefined {
  const all = board.subdevices.map((each, index) => ({ ...each, index }))
  const inputs = all.find(({ kind }) => kind === 'ANALOG_IN')
  if (inputs === undefined) return undefined
  const outputs = all.find(({ kind }) => kind === 'ANALOG_OUT')
  const range = outputs?.ranges.findIndex((each) => rangeName(each) === outputRange) ?? -1
  const span = outputs?.ranges[range]
  return {
    inputs,
    outputs: outputs === undefined || span === undefined ? undefined : { ...outputs, range, span },
    lines: all.find(({ kind }) => kind === 'DIGITAL_IO'),
    pins: all[PFI_SUBDEVICE]?.kind === 'DIGITAL_IO' ? all[PFI_SUBDEVICE].channels : 0,
    counters: all.filter(({ kind, maxdata }) => kind === 'COUNTER' && maxdata >= COUNTER_LEAST_MAXDATA),
    frequencyOutput: all.find(({ kind, maxdata }) => kind === 'COUNTER' && maxdata < COUNTER_LEAST_MAXDATA)?.index,
  }
}

/** What a recording of the inputs can wait for. */
export function startChoices({ pins }: Layout): readonly string[] {
  return [NOW, ...edgeNames(pins)]
}

/** As triggerOf understands them. */
export function edgeNames(pins: number): readonly string[] {
  return times(pins).flatMap((pin) => [`PFI${pin}`, `PFI${pin} falling`])
}

/** Against what this input can be measured: in differential mode it is its partner, half of all further on. */
export function referencesOf({ references, channels }: ComediSubdevice, channel: number): readonly ComediReference[] {
  return COMEDI_REFERENCES.filter((reference) => references.includes(reference) && (reference !== 'DIFFERENTIAL' || channel < channels / 2))
}

export function boardParameters(layout: Layout, outputLines: readonly number[]): readonly ParameterSpec[] {
  const { inputs, outputs, lines, counters } = layout
  return [
    ...times(outputs === undefined ? 0 : outputs.channels).flatMap((channel): readonly ParameterSpec[] => {
      const { minimum = 0, maximum = 0 } = outputs?.span ?? {}
      const playing: ParameterSpec = {
        name: `dac${channel}_playing`,
        description: `Whether analog output ${channel} plays a waveform`,
        kind: 'BOOLEAN',
        access: 'READ_ONLY',
        pollMs: LINE_POLL_MS,
      }
      const level: ParameterSpec = {
        name: `dac${channel}`,
        description: `Analog output ${channel}`,
        kind: 'FLOAT',
        access: 'READ_WRITE',
        unit: 'V',
        minimum,
        maximum,
        step: (maximum - minimum) / (outputs?.maxdata ?? 1),
      }
      return outputs?.plays === true ? [level, playing] : [level]
    }),
    ...times(inputs.channels).flatMap((channel): readonly ParameterSpec[] => [
      {
        name: `ach${channel}`,
        description: `Analog input ${channel}; doubtful at the ends of its range`,
        kind: 'FLOAT',
        access: 'READ_ONLY',
        unit: 'V',
        deadband: INPUT_DEADBAND_VOLTS,
        pollMs: INPUT_POLL_MS,
      },
      {
        name: `ach${channel}_range`,
        description: `Range of analog input ${channel}`,
        kind: 'ENUM',
        access: 'READ_WRITE',
        choices: inputs.ranges.map(rangeName),
      },
      {
        name: `ach${channel}_reference`,
        description: `Against what analog input ${channel} is measured`,
        kind: 'ENUM',
        access: 'READ_WRITE',
        choices: referencesOf(inputs, channel),
      },
    ]),
    {
      name: 'start_trigger',
      description: 'What a recording of analog inputs waits for: nothing, or an edge at a programmable function input',
      kind: 'ENUM',
      access: 'READ_WRITE',
      choices: startChoices(layout),
    },
    ...times(lines?.channels ?? 0).map((line): ParameterSpec => {
      const output = outputLines.includes(line)
      return {
        name: `dio${line}`,
        description: `Digital line ${line}, an ${output ? 'output' : 'input'}: whether it is high`,
        kind: 'BOOLEAN',
        access: output ? 'READ_WRITE' : 'READ_ONLY',
        pollMs: LINE_POLL_MS,
      }
    }),
    ...counters.flatMap(({ maxdata }, at): readonly ParameterSpec[] => [
      {
        name: `counter${at}`,
        description: `General-purpose counter ${at}; setting loads it`,
        kind: 'INTEGER',
        access: 'READ_WRITE',
        unit: '1',
        minimum: 0,
        maximum: maxdata,
      },
      {
        name: `counter${at}_running`,
        description: `Whether counter ${at} counts, or makes pulses`,
        kind: 'BOOLEAN',
        access: 'READ_ONLY',
        pollMs: LINE_POLL_MS,
      },
    ]),
  ]
}

export function inputCommands({ inputs }: Layout): readonly CommandSpec[] {
  return [
    {
      name: 'acquire',
      description: 'Samples of one input at an even rate, timed by the board, in V',
      arguments: [
        { name: 'channel', kind: 'INTEGER', description: 'Number of the input', required: false, default: '0', minimum: 0, maximum: inputs.channels - 1 },
        {
          name: 'rate',
          kind: 'FLOAT',
          description: 'Samples per second',
          required: false,
          unit: 'Hz',
          default: '10000',
          minimum: SLOWEST_HZ,
          maximum: FASTEST_HZ,
        },
        { name: 'samples', kind: 'INTEGER', description: 'How many', required: false, default: '1000', minimum: 1, maximum: MOST_SAMPLES },
      ],
      result: 'LIST',
    },
  ]
}

function times(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at)
}
