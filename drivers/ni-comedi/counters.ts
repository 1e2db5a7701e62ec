import type { CommandSpec } from '../../core/command-spec.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { ComediBoard, ComediCounting } from '../../native/types.ts'
import { edgeNames, type Layout } from './parameters.ts'
import { nearestFrequency, pulseTicks, TICK_HZ, triggerOf } from './protocol.ts'

const FAST = '20 MHz'
const SLOW = '100 kHz'
const NO_GATE = 'none'
const LEAST_PULSE_HZ = 1
const MOST_PULSE_HZ = 5e6 // two ticks for each half
const LEAST_OUTPUT_HZ = 6250 // 100 kHz by 16
const MOST_OUTPUT_HZ = 10e6

/** Counting, pulses and the frequency output: what a board does until it is told to stop, also when its station is gone. */
export class BoardCounters {
  readonly specs: readonly CommandSpec[]
  readonly #board: ComediBoard
  readonly #layout: Layout
  /** Subdevices that were told to count, which drives nothing. Any other that runs makes pulses, or may: it was started before. */
  readonly #counting = new Set<number>()

  constructor(board: ComediBoard, layout: Layout) {
    this.#board = board
    this.#layout = layout
    this.specs = commandsOf(layout)
  }

  has(command: string): boolean {
    return this.specs.some(({ name }) => name === command)
  }

  subdevice(number: number): number {
    const counter = this.#layout.counters[number]
    if (counter === undefined) throw new InvalidValue(`counter: the board has no counter ${number}`, ['counter'])
    return counter.index
  }

  /** Arguments are checked. */
  async invoke(name: string, given: Readonly<Record<string, ParameterValue>>): Promise<ParameterValue | undefined> {
    if (name === 'set_frequency_output') return await this.#outputFrequency(Number(given.frequency))
    const subdevice = this.subdevice(Number(given.counter))
    if (name === 'start_pulses') return await this.#startPulses(subdevice, Number(given.frequency), Number(given.duty))
    if (name === 'start_counter') {
      await this.#board.startCounter(subdevice, countingOf(String(given.source), String(given.gate)))
      this.#counting.add(subdevice)
    }
    if (name === 'stop_counter') await this.#board.stopCounter(subdevice)
    if (name === 'reset_counter') await this.#board.resetCounter(subdevice)
    return undefined
  }

  /** Their outputs stay at the level that they have then. */
  async stopPulses(): Promise<void> {
    for (const subdevice of this.#pulsing) await this.#board.stopCounter(subdevice)
  }

  async makesPulses(): Promise<boolean> {
    for (const subdevice of this.#pulsing) if (await this.#board.counterRuns(subdevice)) return true
    return false
  }

  get #pulsing(): readonly number[] {
    return this.#layout.counters.map(({ index }) => index).filter((index) => !this.#counting.has(index))
  }

  /** The frequency that it becomes. */
  async #startPulses(subdevice: number, frequencyHz: number, duty: number): Promise<number> {
    const { low, high } = pulseTicks(frequencyHz, duty)
    this.#counting.delete(subdevice)
    await this.#board.startPulses(subdevice, { low, high })
    return TICK_HZ / (low + high)
  }

  async #outputFrequency(wantedHz: number): Promise<number> {
    const { slow, divider, frequencyHz } = nearestFrequency(wantedHz)
    await this.#board.outputFrequency(this.#layout.frequencyOutput ?? 0, { slow, divider })
    return frequencyHz
  }
}

function countingOf(source: string, gate: string): ComediCounting {
  const edges = triggerOf(source)
  const gatePin = triggerOf(gate)?.pin
  return { slow: source === SLOW, ...(edges !== undefined && { edges }), ...(gatePin !== undefined && { gatePin }) }
}

function commandsOf({ counters, pins, frequencyOutput }: Layout): readonly CommandSpec[] {
  const counter: SettingSpec = {
    name: 'counter',
    kind: 'INTEGER',
    description: 'Number of the counter',
    required: false,
    default: '0',
    minimum: 0,
    maximum: Math.max(0, counters.length - 1),
  }
  const source: SettingSpec = {
    name: 'source',
    kind: 'ENUM',
    description: 'What it counts: a clock of the board, or the edges at a programmable function input',
    required: false,
    default: FAST,
    choices: [FAST, SLOW, ...edgeNames(pins)],
  }
  const gate: SettingSpec = {
    name: 'gate',
    kind: 'ENUM',
    description: 'The programmable function input that must be high for it to count',
    required: false,
    default: NO_GATE,
    choices: [NO_GATE, ...Array.from({ length: pins }, (_, pin) => `PFI${pin}`)],
  }
  const frequency = (minimum: number, maximum: number): SettingSpec => ({
    name: 'frequency',
    kind: 'FLOAT',
    description: 'The nearest that the board can make is made, and answered',
    required: true,
    unit: 'Hz',
    minimum,
    maximum,
  })
  const duty: SettingSpec = {
    name: 'duty',
    kind: 'FLOAT',
    description: 'Part of each period that the output is high',
    required: false,
    unit: '1',
    default: '0.5',
    minimum: 0.01,
    maximum: 0.99,
  }
  const ofCounters: readonly CommandSpec[] = [
    { name: 'start_counter', description: 'Counts up from 0, at once', arguments: [counter, source, gate] },
    { name: 'stop_counter', description: 'Stops a counter, which keeps its count, or its pulses', arguments: [counter] },
    { name: 'reset_counter', description: 'Stops a counter, at 0', arguments: [counter] },
    {
      name: 'start_pulses',
      description: 'Pulses at the output of a counter, until it is stopped; answers with their frequency',
      arguments: [counter, frequency(LEAST_PULSE_HZ, MOST_PULSE_HZ), duty],
      result: 'FLOAT',
    },
  ]
  const ofOutput: CommandSpec = {
    name: 'set_frequency_output',
    description: 'A square wave at the frequency output: 10 MHz or 100 kHz by 1 to 16; answers with its frequency',
    arguments: [frequency(LEAST_OUTPUT_HZ, MOST_OUTPUT_HZ)],
    result: 'FLOAT',
  }
  return [...(counters.length === 0 ? [] : ofCounters), ...(frequencyOutput === undefined ? [] : [ofOutput])]
}
