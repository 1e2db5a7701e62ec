import type { CommandSpec } from '../../core/command-spec.ts'
import { Conflict, HardwareFault, NotFound } from '../../core/errors.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { CommandFacet } from '../driver.ts'
import type { AxisLine } from './axis-line.ts'
import type { AxisMotion } from './motion.ts'
import { ask, command, HOME_MODES, LARGEST, parseStatus, STATUS } from './protocol.ts'

const LONGEST_WAIT_MS = 10_000 // WS holds every command of the controller for so long
const REPLY_MARGIN_MS = 5000 // of the answer after a WS

type Given = Readonly<Record<string, ParameterValue>>

/** What an axis does beside moving to a place and searching home in its usual way. */
export class AxisCommands implements CommandFacet {
  readonly #line: AxisLine
  readonly #motion: AxisMotion
  readonly #invoke: Readonly<Record<string, (given: Given, signal: AbortSignal) => Promise<ParameterValue | undefined>>> = {
    move_relative: async ({ distance }, signal) => void (await this.#motion.moveBy(Number(distance), signal)),
    search_home: async ({ mode }, signal) =>
      void (await this.#motion.searchHome(
        HOME_MODES.find((candidate) => candidate === mode),
        signal,
      )),
    define_home: async ({ position }, signal) => void (await this.#defineHome(Number(position), signal)),
    stop_all: async (_, signal) => void (await this.#motion.stopAll(signal)),
    wait_for_stop: async ({ delay }, signal) => void (await this.#waitForStop(Number(delay), signal)),
    read_errors: (_, signal) => this.#readErrors(signal),
  }

  constructor(line: AxisLine, motion: AxisMotion) {
    this.#line = line
    this.#motion = motion
  }

  get specs(): readonly CommandSpec[] {
    return specsIn(this.#line.unit.ucum, this.#motion.longestMs)
  }

  async invoke(name: string, given: Given, signal: AbortSignal): Promise<ParameterValue | undefined> {
    const invoke = Object.hasOwn(this.#invoke, name) ? this.#invoke[name] : undefined
    if (invoke === undefined) throw new NotFound(`command ${name}`)
    return await invoke(given, signal)
  }

  async #defineHome(position: number, signal: AbortSignal): Promise<void> {
    const { axis } = this.#line
    await this.#line.command(
      async (line) => {
        await this.#line.requireUnit(line)
        await this.#motion.requireStanding(line, 'a new origin')
        return command.defineHome(axis, position)
      },
      (line) => this.#line.readBack(line, ask.position(axis), 'the position here', position),
      signal,
    )
  }

  /** Sent only while nothing moves: a stop that came after it would wait behind it. */
  async #waitForStop(delayMs: number, signal: AbortSignal): Promise<void> {
    const { axis, port } = this.#line
    await this.#line.exchange(
      'command',
      async (line) => {
        const moving = parseStatus(await line.ask(ask.status, STATUS))?.moving
        if (moving === undefined) throw new HardwareFault('TS was not answered by a status', 'NONE')
        if (moving.length > 0) throw new Conflict(`WS would hold every later command, a stop among them, while axis ${moving.join(' and ')} moves`)
        await line.send(command.waitForStop(axis, delayMs))
        await line.ask(ask.status, STATUS, delayMs + REPLY_MARGIN_MS) // not answered before it is over
        await port.refuseErrors(line, axis, command.waitForStop(axis, delayMs))
      },
      signal,
    )
  }

  async #readErrors(signal: AbortSignal): Promise<string> {
    const { axis, port } = this.#line
    const errors = await this.#line.exchange('command', (line) => port.describeErrors(line, axis), signal)
    return errors.length === 0 ? 'none' : errors.join('; ')
  }
}

/** `longestMs`: of what moves the axis. */
function specsIn(unit: string, longestMs: number): readonly CommandSpec[] {
  return [
    {
      name: 'move_relative',
      description: 'Moves by a distance from where the last move was to end (PR)',
      arguments: [{ name: 'distance', kind: 'FLOAT', description: 'How far', required: true, unit, minimum: -LARGEST, maximum: LARGEST }],
      longestMs,
    },
    {
      name: 'search_home',
      description: 'Searches home in a way of its own choice (OR)',
      arguments: [
        {
          name: 'mode',
          kind: 'INTEGER',
          description: '0 zero count, 1 home switch and index, 2 home switch, 3 / 4 positive / negative limit, 5 / 6 the same and index',
          required: true,
          minimum: 0,
          maximum: 6,
        },
      ],
      longestMs,
    },
    {
      name: 'define_home',
      description: 'Calls the place where the axis stands by another position (DH); soft limits keep their numbers',
      arguments: [
        {
          name: 'position',
          kind: 'FLOAT',
          description: 'The new name of this place',
          required: false,
          default: '0',
          unit,
          minimum: -LARGEST,
          maximum: LARGEST,
        },
      ],
    },
    { name: 'stop_all', description: 'Stops every axis of the controller with its own deceleration (ST)', arguments: [] },
    {
      name: 'wait_for_stop',
      description: 'Lets the controller hold every command for a time after standstill (WS); refused while anything moves',
      arguments: [
        { name: 'delay', kind: 'INTEGER', description: 'After standstill', required: false, default: '0', unit: 'ms', minimum: 0, maximum: LONGEST_WAIT_MS },
      ],
    },
    { name: 'read_errors', description: "What the controller's error queue says of this axis, in its own words (TB)", arguments: [], result: 'TEXT' },
  ]
}
