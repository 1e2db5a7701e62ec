import { HardwareFault, InvalidValue, Problem } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { PvcamCamera, PvcamValue } from '../../native/pvcam-types.ts'
import { named } from './camera-parameters.ts'
import { ID } from './ids.ts'

type Gain = { readonly value: number; readonly name: string }
type Speed = { readonly value: number; readonly name: string; readonly gains: readonly Gain[] }
type Port = { readonly value: number; readonly name: string; readonly speeds: readonly Speed[] }

const MOST_INDICES = 64 // of speeds or gains; a range beyond it is garbage
const NS_PER_SECOND_IN_MEGAHERTZ = 1000

/** Port, speed and gain: which there are depends on the one before, and the camera tells only of those that are chosen. So all are walked once. */
export class ReadoutModes {
  readonly #camera: PvcamCamera
  readonly #ports: readonly Port[]
  #port = 0
  #speed = 0
  #gain = 0

  private constructor(camera: PvcamCamera, ports: readonly Port[]) {
    this.#camera = camera
    this.#ports = ports
  }

  /** Leaves the camera as it was. Undefined for one that has no such table. */
  static async of(camera: PvcamCamera): Promise<ReadoutModes | undefined> {
    const [ports, speeds, gains] = await camera.describe([ID.READOUT_PORT, ID.SPEED_INDEX, ID.GAIN_INDEX])
    if (speeds === undefined || gains === undefined) return undefined
    const was = {
      port: ports && (await numberOf(camera, ID.READOUT_PORT)),
      speed: await numberOf(camera, ID.SPEED_INDEX),
      gain: await numberOf(camera, ID.GAIN_INDEX),
    }
    const walked: Port[] = []
    for (const { value, name } of ports === undefined ? [{ value: 0, name: 'Only' }] : named(ports.choices)) {
      if (ports !== undefined && ports.choices.length > 1) await camera.set(ID.READOUT_PORT, value)
      walked.push({ value, name, speeds: await walkSpeeds(camera) })
    }
    const modes = new ReadoutModes(camera, walked)
    if (was.port !== undefined && walked.length > 1) await camera.set(ID.READOUT_PORT, was.port)
    await camera.set(ID.SPEED_INDEX, was.speed)
    await camera.set(ID.GAIN_INDEX, was.gain)
    await modes.refresh()
    return modes
  }

  get specs(): readonly ParameterSpec[] {
    const spec = (name: string, description: string, among: readonly { readonly name: string }[]): ParameterSpec => ({
      name,
      description,
      kind: 'ENUM',
      access: among.length > 1 ? 'READ_WRITE' : 'READ_ONLY',
      choices: among.map((each) => each.name),
    })
    return [
      spec('readout_port', 'Where the sensor is read out; it decides on the speeds', this.#ports),
      spec('speed_mode', 'How fast pixels are converted; it decides on the gains', this.#here.speeds),
      spec('gain_mode', 'Counts for an electron, by the camera’s own name', this.#now.gains),
    ]
  }

  has(name: string): boolean {
    return name === 'readout_port' || name === 'speed_mode' || name === 'gain_mode'
  }

  /** What is known to be set: nobody else has the camera. */
  value(name: string): string | undefined {
    if (name === 'readout_port') return this.#here.name
    return name === 'speed_mode' ? this.#now.name : this.#now.gains.find(({ value }) => value === this.#gain)?.name
  }

  /** The camera goes to the first speed of another port, and the first gain of another speed. */
  async write(name: string, wanted: string): Promise<string> {
    const [id, among] =
      name === 'readout_port'
        ? ([ID.READOUT_PORT, this.#ports] as const)
        : name === 'speed_mode'
          ? ([ID.SPEED_INDEX, this.#here.speeds] as const)
          : ([ID.GAIN_INDEX, this.#now.gains] as const)
    const chosen = among.find((each) => each.name === wanted)
    if (chosen === undefined) throw new InvalidValue(`${name}: ${wanted} is not allowed; choose one of ${among.map((each) => each.name).join(', ')}`, [name])
    await this.#camera.set(id, chosen.value)
    await this.refresh()
    const told = this.value(name)
    if (told !== wanted) throw new HardwareFault(`${name} was set to ${wanted} and is ${told ?? 'none of its choices'}`, 'DONE')
    return wanted
  }

  async refresh(): Promise<void> {
    if (this.#ports.length > 1) this.#port = await numberOf(this.#camera, ID.READOUT_PORT)
    this.#speed = await numberOf(this.#camera, ID.SPEED_INDEX)
    this.#gain = await numberOf(this.#camera, ID.GAIN_INDEX)
  }

  get #here(): Port {
    return this.#ports.find(({ value }) => value === this.#port) ?? (this.#ports[0] as Port)
  }

  get #now(): Speed {
    return this.#here.speeds.find(({ value }) => value === this.#speed) ?? (this.#here.speeds[0] as Speed)
  }
}

async function walkSpeeds(camera: PvcamCamera): Promise<readonly Speed[]> {
  const speeds: Speed[] = []
  for (const value of await indices(camera, ID.SPEED_INDEX)) {
    await camera.set(ID.SPEED_INDEX, value)
    const pixelTimeNs = await numberOf(camera, ID.PIXEL_TIME)
    speeds.push({ value, name: pixelTimeNs > 0 ? `${NS_PER_SECOND_IN_MEGAHERTZ / pixelTimeNs} MHz` : `speed ${value}`, gains: await walkGains(camera) })
  }
  return named(speeds)
}

/** Indices may have holes: the camera refuses what is none. */
async function walkGains(camera: PvcamCamera): Promise<readonly Gain[]> {
  const gains: Gain[] = []
  for (const value of await indices(camera, ID.GAIN_INDEX)) {
    try {
      await camera.set(ID.GAIN_INDEX, value)
    } catch (error) {
      if (!(error instanceof Problem) || error.facts.instrumentCode === undefined) throw error
      continue
    }
    const [name] = await camera.get([ID.GAIN_NAME])
    gains.push({ value, name: typeof name === 'string' && name.trim() !== '' ? name : `gain ${value}` })
  }
  return named(gains)
}

async function indices(camera: PvcamCamera, id: number): Promise<readonly number[]> {
  const [described] = await camera.describe([id])
  const [minimum, maximum] = [Number(described?.minimum), Number(described?.maximum)]
  if (!(maximum >= minimum && maximum - minimum < MOST_INDICES))
    throw new HardwareFault(`the camera gives indices of ${minimum} … ${maximum}, which are none`, 'NONE')
  return Array.from({ length: maximum - minimum + 1 }, (_, at) => minimum + at)
}

export async function numberOf(camera: PvcamCamera, id: number): Promise<number> {
  return numberFrom((await camera.get([id]))[0])
}

function numberFrom(told: PvcamValue | Problem | undefined): number {
  if (told instanceof Problem) throw told
  if (typeof told !== 'number') throw new HardwareFault(`the camera answers ${String(told)} where a number is due`, 'NONE')
  return told
}
