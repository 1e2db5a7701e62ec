import type { CommandSpec } from '../../core/command-spec.ts'
import { asProblem, DeviceBusy, HardwareFault, InvalidValue, LimitViolation, NotFound } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { ComediBoard, ComediPlayback } from '../../native/types.ts'
import type { Layout } from './parameters.ts'
import { rawOf, voltsOf } from './protocol.ts'
import { FASTEST_WAVE_HZ, listTiming, SHAPES, SLOWEST_WAVE_HZ, shapeAt, waveTiming } from './shapes.ts'

const LIST = 'values'
const LONGEST_SECONDS = 600 // of a number of periods: somebody waits for them to end; what is to last longer plays until it is stopped
const START_MS = 10_000 // for everything but the playing
const NANOSECONDS = 1e9

type Given = Readonly<Record<string, ParameterValue>>

type Playing = {
  readonly output: number
  readonly endless: boolean
  readonly playback: ComediPlayback
  /** What the other outputs have, and keep: the board answers no question about any of them while one plays. */
  readonly held: readonly number[]
  /** V that the output is left at. */
  rest: number
  /** Once it has ended and the output is at rest. Never fails. */
  over: Promise<void>
}

/** Waveforms at the analog outputs: one at a time, because the board times all its outputs by one clock. */
export class BoardWaveforms {
  readonly specs: readonly CommandSpec[]
  readonly #board: ComediBoard
  readonly #layout: Layout
  /** What went wrong with the last waveform of an output, until it is set or plays again. */
  readonly #failures = new Map<number, string>()
  #playing: Playing | undefined
  /** One that begins: a stop waits for it, and ends it. Never fails. */
  #starting: Promise<void> | undefined
  /** Of a finite one that ended badly, for whoever follows it. */
  #untold: HardwareFault | undefined

  constructor(board: ComediBoard, layout: Layout) {
    this.#board = board
    this.#layout = layout
    this.specs = layout.outputs?.plays === true ? commandsOf(layout.outputs) : []
  }

  has(command: string): boolean {
    return this.specs.some(({ name }) => name === command)
  }

  playsAt(output: number): boolean {
    return this.#playing?.output === output
  }

  /** Of an output that cannot be asked: V while another one plays, or why there is no value. undefined: ask it. */
  heldAt(output: number): { readonly value: number } | { readonly bad: string } | undefined {
    const playing = this.#playing
    if (playing?.output === output) return { bad: `dac${output} plays a waveform` }
    const value = playing?.held[output]
    if (value !== undefined) return { value }
    const failure = this.#failures.get(output)
    return failure === undefined ? undefined : { bad: failure }
  }

  /** Before an output is set directly: the board has one clock for all of them, and takes nothing meanwhile. */
  refuseWhilePlaying(): void {
    if (this.#starting !== undefined) throw new DeviceBusy('a waveform is about to begin: stop it first', {})
    if (this.#playing !== undefined) throw new DeviceBusy(`dac${this.#playing.output} plays a waveform: stop it first`, {})
  }

  wasSet(output: number): void {
    this.#failures.delete(output)
  }

  /** Arguments are checked one by one. */
  async invoke(name: string, given: Given): Promise<ParameterValue | undefined> {
    if (name === 'play_waveform') return await this.#play(given)
    await this.stop()
    return undefined
  }

  /** Of a number of periods; one that plays until it is stopped is done when it has begun. Throws HardwareFault, once, if it ended badly. */
  underWay(): boolean {
    const failure = this.#untold
    this.#untold = undefined
    if (failure !== undefined) throw failure
    return this.#playing?.endless === false
  }

  /** Returns when the output is at rest; at `rest` (in V), or where the waveform said. */
  async stop(rest?: number): Promise<void> {
    await this.#starting
    const playing = this.#playing
    if (playing === undefined) return
    if (rest !== undefined) playing.rest = rest
    await playing.playback.stop()
    await playing.over
  }

  /** The frequency that it becomes. */
  async #play(given: Given): Promise<number> {
    const { volts, intervalNs, repeats } = waveformOf(given, this.#outputs().span)
    this.refuseWhilePlaying()
    const begun = this.#begin(Number(given.output), Number(given.rest), volts, intervalNs, repeats)
    this.#starting = begun.then(
      () => undefined,
      () => undefined, // told to who began it
    )
    try {
      const { playback } = await begun
      return NANOSECONDS / (volts.length * playback.scanIntervalNs)
    } finally {
      this.#starting = undefined
    }
  }

  async #begin(output: number, rest: number, volts: readonly number[], scanIntervalNs: number, repeats: number | undefined): Promise<Playing> {
    const { index, range, span, maxdata, channels } = this.#outputs()
    const held: number[] = []
    for (let channel = 0; channel < channels; channel += 1)
      held.push(voltsOf(await this.#board.read({ subdevice: index, channel, range, reference: 0 }), span, maxdata))
    const playback = await this.#board.play({
      subdevice: index,
      channels: [{ channel: output, range, reference: 0 }],
      scanIntervalNs,
      samples: Uint32Array.from(volts, (each) => rawOf(each, span, maxdata)),
      ...(repeats !== undefined && { repeats }),
    })
    this.#failures.delete(output)
    this.#untold = undefined
    const playing: Playing = { output, endless: repeats === undefined, playback, held, rest, over: Promise.resolve() }
    this.#playing = playing
    playing.over = this.#follow(playing)
    return playing
  }

  /** However it ends, the output is set directly then: otherwise nobody knew where it is. */
  async #follow(playing: Playing): Promise<void> {
    try {
      let failure: unknown
      await playing.playback.ended.catch((error: unknown) => {
        failure = error
      })
      const { index, range, span, maxdata } = this.#outputs()
      await this.#board.write({ subdevice: index, channel: playing.output, range, reference: 0 }, rawOf(playing.rest, span, maxdata))
      if (failure !== undefined) throw failure
    } catch (error) {
      const { message, facts } = asProblem(error)
      const { instrumentCode = 'unknown' } = facts
      this.#failures.set(playing.output, message)
      if (!playing.endless) this.#untold = new HardwareFault(message, 'POSSIBLE', { instrumentCode }, { cause: error })
    } finally {
      this.#playing = undefined
    }
  }

  #outputs(): NonNullable<Layout['outputs']> {
    if (this.#layout.outputs === undefined) throw new NotFound('analog outputs')
    return this.#layout.outputs
  }
}

/** Everything that can be refused is refused here, before the board hears of it. */
function waveformOf(
  given: Given,
  { minimum, maximum }: { readonly minimum: number; readonly maximum: number },
): { readonly volts: readonly number[]; readonly intervalNs: number; readonly repeats: number | undefined } {
  const frequency = Number(given.frequency)
  const repeats = given.periods === undefined ? undefined : Number(given.periods)
  if (repeats !== undefined && repeats / frequency > LONGEST_SECONDS)
    throw new InvalidValue(`periods: ${LONGEST_SECONDS} s of them at most; without a number it plays until it is stopped`, ['periods'])
  if ((given.shape === LIST) !== Array.isArray(given.values))
    throw new InvalidValue(`values: give them with the shape "${LIST}", and with no other`, ['values'])
  if (Array.isArray(given.values)) {
    const volts: readonly number[] = given.values
    if (volts.length < 2) throw new InvalidValue('values: at least two', ['values'])
    for (const each of volts) if (each < minimum || each > maximum) throw new LimitViolation('values', each, minimum, maximum, 'V')
    return { volts, intervalNs: listTiming(volts.length, frequency, repeats).intervalNs, repeats }
  }
  const offset = Number(given.offset)
  const amplitude = Number(given.amplitude)
  for (const end of [offset - amplitude, offset + amplitude])
    if (end < minimum || end > maximum) throw new LimitViolation('amplitude', end, minimum, maximum, 'V')
  const shape = SHAPES.find((each) => each === given.shape) ?? 'sine'
  const { samples, intervalNs } = waveTiming(frequency, repeats)
  return { volts: Array.from({ length: samples }, (_, at) => offset + amplitude * shapeAt(shape, at / samples)), intervalNs, repeats }
}

function commandsOf({ channels, span: { minimum, maximum } }: NonNullable<Layout['outputs']>): readonly CommandSpec[] {
  const volts = (name: string, description: string, more: Partial<SettingSpec>): SettingSpec => ({
    name,
    kind: 'FLOAT',
    description,
    required: false,
    unit: 'V',
    minimum,
    maximum,
    ...more,
  })
  return [
    {
      name: 'play_waveform',
      description:
        'A waveform at an analog output, timed by the board, for a number of periods or until stop_waveform; answers with its frequency. Meanwhile no analog output can be set',
      arguments: [
        { name: 'output', kind: 'INTEGER', description: 'Number of the output', required: false, default: '0', minimum: 0, maximum: channels - 1 },
        {
          name: 'shape',
          kind: 'ENUM',
          description: 'Sine and triangle rise from the offset, a square wave is high first, a ramp rises all the way and falls at once',
          required: false,
          default: 'sine',
          choices: [...SHAPES, LIST],
        },
        {
          name: 'frequency',
          kind: 'FLOAT',
          description: 'Of its periods; the nearest that the board can make is made',
          required: true,
          unit: 'Hz',
          minimum: SLOWEST_WAVE_HZ,
          maximum: FASTEST_WAVE_HZ,
        },
        volts('amplitude', 'From the offset to each end', { default: '1', minimum: 0, maximum: (maximum - minimum) / 2 }),
        volts('offset', 'The middle between its ends', { default: '0' }),
        { name: LIST, kind: 'LIST', description: `One period in V, evenly spaced, with the shape "${LIST}"`, required: false },
        { name: 'periods', kind: 'INTEGER', description: 'How many; absent: until it is stopped', required: false, minimum: 1 },
        volts('rest', 'What the output is set to when it ends or is stopped', { default: '0' }),
      ],
      result: 'FLOAT',
      longestMs: LONGEST_SECONDS * 1000 + START_MS,
    },
    { name: 'stop_waveform', description: 'Ends the waveform at once, in the middle of a period, and sets its output to its rest', arguments: [] },
  ]
}
