import { InvalidValue } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { PvcamCamera } from '../../native/pvcam-types.ts'
import { ID } from './ids.ts'
import { numberOf } from './readout-modes.ts'

type Step = { readonly feature: number; readonly parameter: number; readonly spec: ParameterSpec }

const MOST_STEPS = 256 // parameters of all features; a camera of theirs has two dozen

/** The post-processing that the camera does by itself: features with parameters, which it tells of one at a time. They are walked once. */
export class PostProcessing {
  readonly #camera: PvcamCamera
  readonly #steps: ReadonlyMap<string, Step>

  private constructor(camera: PvcamCamera, steps: readonly Step[]) {
    this.#camera = camera
    this.#steps = new Map(steps.map((step) => [step.spec.name, step]))
  }

  /** Without any feature where the camera has none. */
  static async of(camera: PvcamCamera): Promise<PostProcessing> {
    const [features] = await camera.describe([ID.POST_INDEX])
    const steps: Step[] = []
    for (let feature = Number(features?.minimum ?? 0); feature <= Number(features?.maximum ?? -1) && steps.length < MOST_STEPS; feature += 1) {
      await camera.set(ID.POST_INDEX, feature)
      const [featureName] = await camera.get([ID.POST_NAME])
      const [parameters] = await camera.describe([ID.POST_PARAMETER_INDEX])
      for (let parameter = Number(parameters?.minimum ?? 0); parameter <= Number(parameters?.maximum ?? -1) && steps.length < MOST_STEPS; parameter += 1) {
        await camera.set(ID.POST_PARAMETER_INDEX, parameter)
        const [parameterName] = await camera.get([ID.POST_PARAMETER_NAME])
        const [described] = await camera.describe([ID.POST_PARAMETER])
        const range = { minimum: Number(described?.minimum ?? 0), maximum: Number(described?.maximum ?? 0) }
        const names = [String(featureName), String(parameterName)] as const
        const name = snakeCase(`${names[0]} ${names[1]}`)
        if (steps.some(({ spec }) => spec.name === name)) continue
        steps.push({ feature, parameter, spec: specOf(name, names, range) })
      }
    }
    return new PostProcessing(camera, steps)
  }

  get specs(): readonly ParameterSpec[] {
    return [...this.#steps.values()].map(({ spec }) => spec)
  }

  has(name: string): boolean {
    return this.#steps.has(name)
  }

  async read(name: string): Promise<Measured> {
    const { spec } = await this.#goTo(name)
    const told = await numberOf(this.#camera, ID.POST_PARAMETER)
    return { value: spec.kind === 'BOOLEAN' ? told !== 0 : told }
  }

  async write(name: string, value: ParameterValue): Promise<ParameterValue> {
    if (typeof value !== 'number' && typeof value !== 'boolean') throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    await this.#goTo(name)
    await this.#camera.set(ID.POST_PARAMETER, Number(value))
    const measured = await this.read(name)
    return 'bad' in measured ? value : measured.value
  }

  async #goTo(name: string): Promise<Step> {
    const step = this.#steps.get(name)
    if (step === undefined) throw new InvalidValue(`${name} is not a parameter of this camera`, [name])
    await this.#camera.set(ID.POST_INDEX, step.feature)
    await this.#camera.set(ID.POST_PARAMETER_INDEX, step.parameter)
    return step
  }
}

function specOf(
  name: string,
  [feature, parameter]: readonly [string, string],
  { minimum, maximum }: { readonly minimum: number; readonly maximum: number },
): ParameterSpec {
  const description = `Post-processing in the camera: ${feature}, ${parameter}`
  const isSwitch = minimum === 0 && maximum === 1 && /enable/i.test(parameter)
  if (isSwitch) return { name, description, kind: 'BOOLEAN', access: 'READ_WRITE' }
  return { name, description, kind: 'INTEGER', access: 'READ_WRITE', ...(minimum < maximum && { minimum, maximum }) }
}

/** "DENOISING No OF ITERATIONS": denoising_no_of_iterations. A name begins with a letter. */
export function snakeCase(text: string): string {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? []
  const name = words.join('_')
  return /^[a-z]/.test(name) ? name : `feature_${name}`
}
