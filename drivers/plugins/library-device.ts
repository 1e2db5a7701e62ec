import type { DeviceSettings } from '../../core/device.ts'
import { DeviceOffline, type Effect, HardwareFault, InvalidValue, messageOf, NotSupported, Problem } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import { openDriverDevice } from '../../native/devices.ts'
import type { LibraryAnswer, LibraryDevice } from '../../native/types.ts'
import type { DeviceHandle, ReadoutFacet } from '../driver.ts'
import { readEach } from '../readings.ts'
import { ExchangeQueue } from '../transport/exchange-queue.ts'
import { checkParameters } from './check-handle.ts'
import { measuredValue } from './check-values.ts'
import type { LibraryCalls } from './library-calls.ts'
import { fieldsOf, text } from './shape.ts'

export type LibraryPlace = {
  readonly path: string
  /** For messages, and what no two devices that are one share. */
  readonly name: string
  readonly settings: DeviceSettings
  readonly readout?: string
  readonly calls: LibraryCalls
  readonly lost: AbortSignal
  readonly lose: (reason: DeviceOffline) => void
}

/** Throws DeviceOffline, or HardwareFault with the library's sentence. */
export async function openLibraryDevice(place: LibraryPlace, signal: AbortSignal): Promise<DeviceHandle> {
  const { calls, name, path, settings } = place
  const opening = openDriverDevice(path, JSON.stringify(settings))
  const opened = await calls
    .make(name, 'kymograph_open', () => opening)
    .catch((error: unknown) => {
      opening.then((late) => (late.code === 0 ? late.device.close() : undefined)).catch(() => undefined) // nobody waits for it any more
      throw error
    })
  const { device } = good(opened, 'NONE')
  try {
    signal.throwIfAborted()
    const described = good(await calls.make(name, 'kymograph_describe', () => device.describe()), 'NONE').value
    return new OpenLibraryDevice(place, device, described)
  } catch (error) {
    await calls.make(name, 'kymograph_close', () => device.close()).catch(() => undefined) // why it was not opened matters more
    throw error
  }
}

class OpenLibraryDevice implements DeviceHandle {
  readonly identity: string
  readonly parameters: readonly ParameterSpec[]
  readonly readout?: ReadoutFacet
  readonly #place: LibraryPlace
  readonly #device: LibraryDevice
  readonly #queue = new ExchangeQueue()
  #closed = false

  constructor(place: LibraryPlace, device: LibraryDevice, described: string) {
    const { identity, parameters } = descriptionIn(described)
    this.identity = identity
    this.parameters = parameters
    if (place.readout !== undefined && parameters.some(({ name }) => name === place.readout)) this.readout = { parameter: place.readout }
    this.#place = place
    this.#device = device
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    return await readEach(names, (name) => this.#read(name, signal), { lost: this.#place.lost, signal })
  }

  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    if (typeof value === 'object') throw new NotSupported(`${name}: a driver library takes no lists`, 'SETTABLE')
    const spec = this.parameters.find((parameter) => parameter.name === name)
    return await this.#queue.run(
      'command',
      async () => {
        await this.#call('kymograph_write', 'POSSIBLE', () => this.#device.write(name, value))
        if (spec?.access === 'WRITE_ONLY') return value
        const confirmed = measuredValue(spec, await this.#call('kymograph_read', 'DONE', () => this.#device.read(name)))
        if ('bad' in confirmed) throw new HardwareFault(`${name} was set, and could not be read back: ${confirmed.bad}`, 'DONE')
        return confirmed.value
      },
      signal,
    )
  }

  async emergencyStop(): Promise<{ readonly confirmed: Promise<boolean> }> {
    this.#queue.preempt(new HardwareFault('interrupted by an emergency stop', 'POSSIBLE'))
    // Beside whatever call is running, also one that hangs.
    const stopped = this.#device.stop().then((answer) => good(answer, 'POSSIBLE'))
    await stopped
    return { confirmed: stopped.then(() => false) } // no function asks whether everything stands
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const { calls, name } = this.#place
    this.#queue.close(new DeviceOffline(`${name}: closed`, {}))
    if (calls.hangs(name)) return void this.#device.close().catch(() => undefined) // closed when the call returns
    await calls.make(name, 'kymograph_close', () => this.#device.close())
  }

  async #read(name: string, signal: AbortSignal): Promise<Measured> {
    const spec = this.parameters.find((parameter) => parameter.name === name)
    return await this.#queue.run('read', async () => measuredValue(spec, await this.#call('kymograph_read', 'NONE', () => this.#device.read(name))), signal)
  }

  async #call<Value>(what: string, effect: Effect, call: () => Promise<LibraryAnswer<'value', Value>>): Promise<Value> {
    const { calls, name, lose } = this.#place
    try {
      return good(await calls.make(name, what, call), effect).value
    } catch (error) {
      if (error instanceof DeviceOffline) lose(error)
      throw error
    }
  }
}

/** The answer, unless it says what went wrong. */
function good<Answer extends { readonly code: number }>(answer: Answer, effect: Effect): Extract<Answer, { readonly code: 0 }> {
  if (isGood(answer)) return answer
  const sentence = 'text' in answer && typeof answer.text === 'string' ? answer.text : 'the library failed without a word'
  if (answer.code === 3) throw new DeviceOffline(sentence, { effect })
  throw new HardwareFault(sentence, answer.code === 1 && effect !== 'DONE' ? 'NONE' : effect, { instrumentCode: String(answer.code) })
}

function isGood<Answer extends { readonly code: number }>(answer: Answer): answer is Extract<Answer, { readonly code: 0 }> {
  return answer.code === 0
}

function descriptionIn(json: string): { readonly identity: string; readonly parameters: readonly ParameterSpec[] } {
  try {
    const { identity, parameters } = fieldsOf(JSON.parse(json), 'the description')
    text(identity, 'identity')
    return { identity: String(identity), parameters: checkParameters(parameters) }
  } catch (error) {
    if (error instanceof Problem && !(error instanceof InvalidValue)) throw error
    throw new HardwareFault(`kymograph_describe wrote no description: ${messageOf(error)}`, 'NONE')
  }
}
