import { setTimeout as pause } from 'node:timers/promises'
import type { CommandSpec } from '../../core/command-spec.ts'
import { Conflict, type Effect, HardwareFault, InvalidValue, NotFound, Problem } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { CommandFacet, DeviceHandle } from '../driver.ts'
import { readEach } from '../readings.ts'
import type { Exchange } from '../transport/serial-line.ts'
import { laserParameters, type Range } from './parameters.ts'
import type { LaserPort } from './port.ts'
import * as protocol from './protocol.ts'
import { ask, command } from './protocol.ts'
import { askEmission, askShutter, QUESTIONS, told } from './questions.ts'
import { Tuning } from './tuning.ts'
import type { Watchdog } from './watchdog.ts'

/** How long until what was set is there: a shutter travels, a pump starts. At least CONFIRM_ASKS questions, since a slow link answers in seconds. */
const CONFIRM_WITHIN_MS = { wavelength: 200, shutter: 1000, emission: 3000 } as const
const CONFIRM_ASKS = 3
const CONFIRM_STOP_ASKS = 5

const COMMANDS: readonly CommandSpec[] = [{ name: 'save', description: 'Stores the present settings in the laser (SAVe)', arguments: [] }]

type SetOf<T> = {
  readonly text: string
  readonly wanted: T
  readonly withinMs: number
  /** What it is now; undefined when the laser does not say. */
  readonly confirm: (line: Exchange) => Promise<T | undefined>
}
type Switch = SetOf<boolean>

export type Described = { readonly identity: string; readonly range: Range; readonly watchdog: Watchdog }

export class LaserDevice implements DeviceHandle {
  readonly identity: string
  readonly parameters: readonly ParameterSpec[]
  readonly readout = { parameter: 'power' }
  readonly shutter = { parameter: 'shutter' }
  readonly emission = { parameter: 'emission' }
  readonly wavelength = { parameter: 'wavelength', setpointParameter: 'wavelength_setpoint' }
  readonly commands: CommandFacet = { specs: COMMANDS, invoke: (name, _, signal) => this.#invoke(name, signal) }
  readonly #port: LaserPort
  readonly #tuning = new Tuning()
  #setpoint: number | undefined
  readonly #watchdog: Watchdog
  #obeys: boolean | undefined
  /** Counts what closes and switches off: what was asked for before, and opens or switches on, must not go out after it. */
  #saferSets = 0

  constructor(port: LaserPort, described: Described) {
    this.#port = port
    this.identity = described.identity
    this.#watchdog = described.watchdog
    if (described.watchdog.refused) this.#obeys = false
    this.parameters = laserParameters(described.range, port.link, described.watchdog)
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    // Emission is a bit of the status byte: one question for both.
    let status: Promise<string> | undefined
    const askStatus = (line: Exchange): Promise<string> => {
      status ??= line.ask(ask.status, protocol.STATUS)
      return status
    }
    const readOne = (name: string): Promise<Measured> => this.#port.line.exchange('read', (line) => this.#readOne(line, name, askStatus), signal)
    return await readEach(names, readOne, { lost: this.#port.lost, signal })
  }

  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    if (name === 'wavelength_setpoint' && typeof value === 'number' && Number.isInteger(value)) return await this.#tune(value, signal)
    if (name === 'shutter' && typeof value === 'boolean') return await this.#moveShutter(value, signal)
    if (name === 'emission' && typeof value === 'boolean') return value ? await this.#switchOn(signal) : await this.#switchOff(signal)
    throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
  }

  async underWay(signal: AbortSignal): Promise<boolean> {
    const { target } = this.#tuning
    if (target === undefined) return false
    return await this.#port.line.exchange(
      'read',
      async (line) => {
        const reply = await line.ask(ask.wavelength, protocol.NANOMETRES)
        const seen = this.#tuning.see(protocol.parseNanometres(reply), performance.now())
        if (seen !== 'LATE') return seen === 'TUNING'
        const fault = await line.ask(ask.pumpError, protocol.CODE)
        throw new HardwareFault(`the laser is at ${reply} and does not arrive at ${target} nm (pump fault ${fault})`, 'DONE', { instrumentCode: fault })
      },
      signal,
    )
  }

  async makeSafe(signal: AbortSignal): Promise<void> {
    await this.#moveShutter(false, signal)
  }

  /** Light ends at the shutter within milliseconds; then the pump goes off too, since a shutter can stick. */
  async emergencyStop(signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    this.#tuning.forget()
    this.#saferSets += 1
    await this.#port.shutDown()
    return { confirmed: this.#isDark(signal) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The port belongs to who opened it. The watchdog goes on in the laser: nobody speaks to it any more, and its emission ends.
  }

  async #tune(nanometres: number, signal: AbortSignal): Promise<number> {
    const before = this.#setpoint
    const set = {
      text: command.wavelength(nanometres),
      wanted: nanometres,
      withinMs: CONFIRM_WITHIN_MS.wavelength,
      confirm: async (line: Exchange) => {
        this.#setpoint = protocol.parseNanometres(await line.ask(ask.setpoint, protocol.NANOMETRES))
        return this.#setpoint
      },
    }
    return await this.#port.line.exchange(
      'command',
      async (line) => {
        await line.send(set.text)
        const confirmed = await this.#confirmed(line, set, (now) => (now === before ? 'NONE' : 'POSSIBLE'))
        this.#tuning.begin(nanometres, performance.now())
        return confirmed
      },
      signal,
    )
  }

  async #moveShutter(open: boolean, signal: AbortSignal): Promise<boolean> {
    const set = { text: command.shutter(open), wanted: open, withinMs: CONFIRM_WITHIN_MS.shutter, confirm: askShutter }
    return open ? await this.#riskier(set, async () => 'needed', signal) : await this.#safer(set, signal)
  }

  async #switchOff(signal: AbortSignal): Promise<boolean> {
    return await this.#safer({ text: command.emission(false), wanted: false, withinMs: CONFIRM_WITHIN_MS.emission, confirm: askEmission }, signal)
  }

  /** The checks and the command are one exchange: nobody opens the shutter in between. */
  async #switchOn(signal: AbortSignal): Promise<boolean> {
    const set = { text: command.emission(true), wanted: true, withinMs: CONFIRM_WITHIN_MS.emission, confirm: askEmission }
    const check = async (line: Exchange): Promise<'needed' | 'there already'> => {
      if (await told(askEmission(line))) return 'there already'
      const open = await told(askShutter(line))
      if (open === undefined) throw new Conflict('emission is not switched on: the state of the shutter cannot be read, and it may be open')
      if (open) throw new Conflict('emission is not switched on while the shutter is open; close it first')
      const percent = await told(line.ask(ask.warmUp, protocol.PERCENT).then(protocol.parsePercent))
      if (percent === undefined) throw new Conflict('emission is not switched on: the laser does not say how warm it is')
      if (percent < 100) throw new Conflict(`emission is not switched on: the laser has warmed up to ${percent} % and needs 100 %`)
      if (!(await this.#watchdog.isArmed(line)))
        throw new Conflict(`emission is not switched on: its watchdog cannot be seen at ${this.#watchdog.seconds} s; is the front panel in LOCAL?`)
      return 'needed'
    }
    return await this.#riskier(set, check, signal)
  }

  /** Makes light, or lets it out. Not sent when something safer was asked for in the meantime. */
  async #riskier(set: Switch, check: (line: Exchange) => Promise<'needed' | 'there already'>, signal: AbortSignal): Promise<boolean> {
    const saferBefore = this.#saferSets
    return await this.#port.line.exchange(
      'command',
      async (line) => {
        if ((await check(line)) === 'there already') return set.wanted
        if (saferBefore !== this.#saferSets) throw new Conflict(`"${set.text}" was overtaken by something safer and not sent`)
        await line.send(set.text)
        return await this.#confirmed(line, set)
      },
      signal,
    )
  }

  /** Goes on the wire at once, past whatever waits or is being asked: an answer can take seconds. */
  async #safer(set: Switch, signal: AbortSignal): Promise<boolean> {
    this.#saferSets += 1
    await this.#port.line.interject(set.text)
    try {
      return await this.#port.line.exchange('urgent', (line) => this.#confirmed(line, set), signal)
    } catch (error) {
      // The exchange knows of its own questions only, and the command went out before it.
      throw error instanceof Problem && error.effect === 'NONE' ? error.with({ effect: 'POSSIBLE' }) : error
    }
  }

  /** Sets are not answered: the laser is asked until it is as wanted, and one that goes on as before has not obeyed. */
  async #confirmed<T extends ParameterValue>(line: Exchange, set: SetOf<T>, effectOf: (now: T | undefined) => Effect = () => 'POSSIBLE'): Promise<T> {
    const untilMs = performance.now() + set.withinMs
    let now: T | undefined
    for (let asked = 0; asked < CONFIRM_ASKS || performance.now() < untilMs; asked += 1) {
      await line.pause(this.#port.link.afterSetMs)
      now = await set.confirm(line)
      if (now !== set.wanted) continue
      this.#obeys = true
      return now
    }
    this.#obeys = false
    throw new HardwareFault(`after "${set.text}" the laser still says ${now ?? 'nothing'}; the set had no effect: is the front panel in LOCAL?`, effectOf(now))
  }

  async #invoke(name: string, signal: AbortSignal): Promise<undefined> {
    if (name !== 'save') throw new NotFound(`command ${name}`)
    await this.#port.line.exchange(
      'command',
      async (line) => {
        await line.send(command.save)
        await line.pause(this.#port.link.afterSetMs)
        await line.ask(ask.identity, protocol.IDENTITY) // it is there, and ready for the next command
      },
      signal,
    )
  }

  /** Asks, and says both again where it is not so: a byte of the first may have been lost. */
  async #isDark(signal: AbortSignal): Promise<boolean> {
    const { line, link, lost } = this.#port
    for (let asked = 0; asked < CONFIRM_STOP_ASKS && !signal.aborted && !lost.aborted; asked += 1) {
      await pause(link.afterSetMs)
      const dark = await line
        .exchange('urgent', async (exchange) => (await askShutter(exchange)) === false && (await askEmission(exchange)) === false, signal)
        .catch(() => false) // an answer that was lost: asked again
      if (dark) return true
      if (!lost.aborted) await line.interject(command.shutter(false) + link.terminator + command.emission(false)).catch(() => undefined)
    }
    return false
  }

  async #readOne(line: Exchange, name: string, askStatus: (line: Exchange) => Promise<string>): Promise<Measured> {
    switch (name) {
      case 'obeys':
        return this.#obeys === undefined ? { bad: 'not known until something was set' } : { value: this.#obeys }
      case 'emission':
      case 'status_byte': {
        const reply = await askStatus(line)
        const status = protocol.parseStatus(reply)
        if (status === undefined) return { bad: `${reply} is not a status byte` }
        return { value: name === 'emission' ? status.emission : status.byte }
      }
      default: {
        const question = QUESTIONS[name]
        if (question === undefined) throw new NotFound(`parameter ${name}`)
        const reply = await line.ask(question.ask, question.shape)
        const value = question.parse(reply)
        if (value === undefined) return { bad: `${JSON.stringify(reply)} is cut, or not a value of ${name}` }
        if (name === 'wavelength_setpoint' && typeof value === 'number') this.#setpoint = value
        return { value }
      }
    }
  }
}
