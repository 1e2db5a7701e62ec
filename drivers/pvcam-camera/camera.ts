import type { Roi } from '../../core/device.ts'
import { asProblem, InvalidValue, NotFound, Problem } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { PvcamCamera, PvcamChoice } from '../../native/pvcam-types.ts'
import type { CommandFacet, DeviceHandle, FrameFacet, TriggerFacet } from '../driver.ts'
import { formatRegions, parseRegions, REGIONS_PARAMETER } from '../frame-regions.ts'
import { CameraParameters } from './camera-parameters.ts'
import { CameraStream } from './camera-stream.ts'
import { commandsOf } from './commands.ts'
import { ID } from './ids.ts'
import { streamParameters } from './parameters.ts'
import { PostProcessing } from './post-processing.ts'
import { around, type Configuration, checkConfiguration, fullFrame, type Sensor, wholeMicroseconds } from './protocol.ts'
import { ReadoutModes } from './readout-modes.ts'
import { readStreamModes, runsByItself, type StreamModes } from './stream-modes.ts'

const DEFAULT_EXPOSURE_SECONDS = 0.01
const LOST_AFTER = 3 // readings in a row that failed: older libraries have no word for a camera that was unplugged

export type Ends = {
  /** Aborted when the library or this camera is gone. */
  readonly lost: AbortSignal
  /** The camera does not answer any more. */
  readonly lose: (why: string) => void
}

type Parts = { readonly modes: StreamModes; readonly own: CameraParameters; readonly readout: ReadoutModes | undefined; readonly post: PostProcessing }

/** One open camera. While it streams no parameter is read from it: that breaks the acquisition (PVCAM). What was read before is told. */
export class CameraDevice implements DeviceHandle {
  readonly identity: string
  readonly exposure = { parameter: 'exposure' }
  readonly trigger: TriggerFacet
  readonly frames: FrameFacet
  readonly commands: CommandFacet
  readonly lost: AbortSignal
  readonly #camera: PvcamCamera
  readonly #modes: StreamModes
  readonly #own: CameraParameters
  readonly #readout: ReadoutModes | undefined
  readonly #post: PostProcessing
  readonly #stream: CameraStream
  readonly #ends: Ends
  readonly #lastRead = new Map<string, ParameterValue>()
  #configuration: Configuration
  #regionsEver = 0
  #parameters: readonly ParameterSpec[]
  #failures = 0

  /** Reads what the camera has. Metadata is switched on where there is any: frames then carry times of their own. */
  static async open(camera: PvcamCamera, libraryVersion: string, ringPath: string, ends: Ends): Promise<CameraDevice> {
    const own = new CameraParameters(camera)
    const [metadata] = await camera.describe([ID.METADATA_ENABLED])
    if (metadata?.access === 'READ_WRITE') await camera.set(ID.METADATA_ENABLED, true)
    const modes = await readStreamModes(camera)
    const readout = await ReadoutModes.of(camera)
    const post = await PostProcessing.of(camera)
    await own.describe()
    return new CameraDevice(camera, libraryVersion, ringPath, ends, { modes, own, readout, post })
  }

  private constructor(camera: PvcamCamera, libraryVersion: string, ringPath: string, ends: Ends, { modes, own, readout, post }: Parts) {
    this.#camera = camera
    this.#ends = ends
    this.lost = ends.lost
    this.#modes = modes
    this.#own = own
    this.#readout = readout
    this.#post = post
    const sensor: Sensor = {
      width: camera.sensorWidth,
      height: camera.sensorHeight,
      get bitDepth() {
        return camera.bitDepth
      },
    }
    this.#configuration = { roi: fullFrame(sensor), areas: [], binning: 1, exposureSeconds: DEFAULT_EXPOSURE_SECONDS, regions: [] }
    this.#stream = new CameraStream({
      camera,
      ringPath,
      configuration: () => this.#configuration,
      beforeStart: async () => void (await this.#readOwn(this.#own.specs.map(({ name }) => name))),
    })
    const stream = this.#stream
    this.identity = `${camera.name}, ${camera.chipName}, serial ${camera.serialNumber}, PVCAM ${libraryVersion}`
    this.trigger = { trigger: (frames, signal) => stream.trigger(frames, signal) }
    this.commands = commandsOf(camera, stream)
    this.frames = {
      sensor,
      temperatureParameter: 'temperature',
      roiParameter: 'roi',
      binningParameter: 'binning',
      configuration: () => this.#configuration,
      configure: (change) => this.#configure({ ...this.#configuration, ...(change.roi !== undefined && { areas: [] }), ...change }),
      startLive: () => stream.startLive(),
      stopLive: () => stream.stopLive(),
      get streaming() {
        return camera.streaming
      },
      takeStatistics: () => stream.statistics.take(),
      statistics: () => camera.statistics(),
      tap: (view, after) => stream.tap(view, after),
      record: (layout, options) => stream.record({ ...layout, ...options }),
    }
    this.#parameters = this.#describe()
  }

  get parameters(): readonly ParameterSpec[] {
    return this.#parameters
  }

  async read(names: readonly string[]): Promise<ReadonlyMap<string, Measured>> {
    if (this.lost.aborted) throw this.lost.reason
    const values = new Map<string, Measured>()
    const asked = names.filter((name) => this.#own.has(name) || this.#post.has(name))
    for (const name of names) if (!asked.includes(name)) values.set(name, this.#known(name))
    if (asked.length === 0) return values
    const told = await this.#stream.inTurn(() => this.#readOwn(asked)) // a start or stop in between would make it unsafe
    for (const [name, measured] of told) values.set(name, measured)
    return values
  }

  async write(name: string, value: ParameterValue): Promise<ParameterValue> {
    const { triggers, exposeOuts, binnings } = this.#modes
    switch (name) {
      case 'exposure':
        await this.#configure({ ...this.#configuration, exposureSeconds: wholeMicroseconds(Number(value)) })
        return this.#configuration.exposureSeconds
      case 'roi':
        return await this.#setAreas(parseRegions(String(value), 'roi', this.#modes.limits.areas))
      case REGIONS_PARAMETER:
        return await this.#setRegions(parseRegions(String(value)))
      case 'binning':
        await this.#configure({ ...this.#configuration, binning: choiceOf(name, binnings, value) })
        return value
      case 'trigger_mode':
        await this.#configure({ ...this.#configuration, triggerMode: choiceOf(name, triggers, value) })
        return value
      case 'expose_out_mode':
        await this.#configure({ ...this.#configuration, exposeOutMode: choiceOf(name, exposeOuts, value) })
        return value
      default:
        return await this.#writeOwn(name, value)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream[Symbol.asyncDispose]()
  }

  async #configure(next: Configuration): Promise<void> {
    checkConfiguration(next, this.frames.sensor, this.#modes.limits)
    const before = this.#configuration
    await this.#stream.between(
      async () => {
        this.#configuration = next
      },
      () => {
        this.#configuration = before
      },
    )
  }

  async #setAreas(areas: readonly Roi[]): Promise<string> {
    const [first, ...others] = areas
    const roi = first === undefined ? fullFrame(this.frames.sensor) : around([first, ...others])
    await this.#configure({ ...this.#configuration, roi, areas: others.length === 0 ? [] : areas })
    return formatRegions(this.#areas)
  }

  get #areas(): readonly Roi[] {
    const { roi, areas } = this.#configuration
    return areas.length === 0 ? [roi] : areas
  }

  /** A parameter that was there once stays: its history goes on when the regions do. */
  async #setRegions(regions: readonly Roi[]): Promise<string> {
    await this.#configure({ ...this.#configuration, regions })
    if (regions.length > this.#regionsEver) {
      this.#regionsEver = regions.length
      this.#parameters = this.#describe()
    }
    return formatRegions(regions)
  }

  /** What else there is may depend on it, and is described anew. */
  async #writeOwn(name: string, value: ParameterValue): Promise<ParameterValue> {
    const part = [this.#own, this.#readout, this.#post].find((each) => each?.has(name))
    if (part === undefined) throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    return await this.#stream.between(async () => {
      const done = part instanceof ReadoutModes ? await part.write(name, String(value)) : await part.write(name, value)
      await this.#own.describe()
      this.#parameters = this.#describe()
      return done
    })
  }

  #describe(): readonly ParameterSpec[] {
    const readout = this.#readout?.specs ?? []
    return [...streamParameters(this.#modes, this.#regionsEver), ...this.#own.specs, ...readout, ...this.#post.specs]
  }

  /** What needs no question to the camera. */
  #known(name: string): Measured {
    const { produced, lost, frameRate, exposureSeconds } = this.#camera.statistics()
    const { triggers, exposeOuts, binnings } = this.#modes
    const configuration = this.#configuration
    switch (name) {
      case 'exposure':
        return { value: this.#stream.configuration === configuration ? exposureSeconds : configuration.exposureSeconds }
      case 'roi':
        return { value: formatRegions(this.#areas) }
      case 'binning':
        return nameOf(binnings, configuration.binning)
      case 'trigger_mode':
        return nameOf(triggers, configuration.triggerMode)
      case 'expose_out_mode':
        return nameOf(exposeOuts, configuration.exposeOutMode)
      case 'buffer_mode':
        return { value: 'CIRC_NO_OVERWRITE' }
      case 'serial':
        return { value: this.#camera.serialNumber }
      case 'chip':
        return { value: this.#camera.chipName }
      case 'firmware':
        return { value: this.#camera.firmwareVersion }
      case 'streaming':
        return { value: this.#camera.streaming }
      case 'armed':
        return { value: this.#camera.streaming && !runsByItself(configuration.triggerMode) }
      case 'frame_rate':
        return { value: this.#camera.streaming ? frameRate : 0 }
      case 'frames_produced':
        return { value: produced }
      case 'frames_dropped':
        return { value: lost }
      case REGIONS_PARAMETER:
        return { value: formatRegions(configuration.regions) }
      default:
        return this.#modeOrStatistic(name)
    }
  }

  #modeOrStatistic(name: string): Measured {
    if (this.#readout?.has(name) === true) {
      const mode = this.#readout.value(name)
      return mode === undefined ? { bad: 'the camera names none' } : { value: mode }
    }
    if (this.#parameters.some((spec) => spec.name === name && spec.streamed)) return this.#stream.statistics.measured(name)
    throw new NotFound(`parameter ${name}`)
  }

  /** In turn. */
  async #readOwn(names: readonly string[]): Promise<ReadonlyMap<string, Measured>> {
    if (this.#camera.streaming) return new Map(names.map((name) => [name, this.#before(name)]))
    const told = await this.#own.read(names.filter((name) => this.#own.has(name)))
    const values = new Map<string, Measured>([...told].map(([name, answer]) => [name, this.#noted(name, answer)]))
    for (const name of names)
      if (this.#post.has(name)) values.set(name, this.#noted(name, await this.#post.read(name).catch((error: unknown) => asProblem(error))))
    return values
  }

  /** Nobody else has the camera, so that what is only ever set is still so; what changes by itself is doubtful. */
  #before(name: string): Measured {
    const last = this.#lastRead.get(name)
    if (last === undefined) return { bad: 'not read while the camera streams' }
    return this.#own.changes(name) === undefined ? { value: last } : { value: last, quality: 'UNCERTAIN' }
  }

  #noted(name: string, answer: Measured | Problem): Measured {
    if (answer instanceof Problem) {
      this.#failures += 1
      if (this.#failures >= LOST_AFTER) this.#ends.lose(`it failed ${LOST_AFTER} times in a row: ${answer.message}`)
      return { bad: answer.message }
    }
    if (this.#own.changes(name) === 'BY_ITSELF') this.#failures = 0
    if ('value' in answer) this.#lastRead.set(name, answer.value)
    return answer
  }
}

function choiceOf(name: string, choices: readonly PvcamChoice[], wanted: ParameterValue): number {
  const choice = choices.find((each) => each.name === wanted)
  if (choice === undefined)
    throw new InvalidValue(`${name}: ${String(wanted)} is not allowed; choose one of ${choices.map((each) => each.name).join(', ')}`, [name])
  return choice.value
}

/** Without a choice the camera takes its first one. */
function nameOf(choices: readonly PvcamChoice[], value: number | undefined): Measured {
  const choice = value === undefined ? choices[0] : choices.find((each) => each.value === value)
  return choice === undefined ? { bad: 'the camera names none' } : { value: choice.name }
}
