import { join } from 'node:path'
import { clockOf, hostOf, serveTerminal } from '../simulation/serve-simulation.ts'
import type { Simulation } from '../simulation/simulation.ts'
import { type ByteInstrument, CommandSplitter, type SimulatorHost } from '../simulation/simulator.ts'
import { serveLines } from '../transport/line-input.ts'
import { serveSpi } from '../transport/spi-transport.ts'
import { BAUD_RATE, command, type Move, parseCommand, TERMINATOR } from './protocol.ts'
import { type Ramp, rampOf, secondsOf, stepsAfter } from './ramp.ts'
import { SimulatedDome } from './simulated-dome.ts'

const CRUISE_POLL_SECONDS = 0.01 // how often the firmware looks at its port at speed
const RAMP_POLL_STEPS = 100 // and in a ramp
const BEFORE_NEXT_STEP_SECONDS = 1e-6
const DIRECTION_SETTLES_SECONDS = 10e-6
const SOMEBODY_ELSES: Move = { steps: 53_940, direction: 1, delayUs: 260, ramp: 'SCURVE' }
const SWITCH_LINE = 27
const FASTEST = 1.3 // deg/s
const SWITCH_WIDTH = 0.3 // degrees
const WIDEST_SWITCH = 3
const LONGEST_GAP_SECONDS = 0.1 // a healthy process looks every 10 ms while the dome turns

type Running = { readonly move: Move; readonly ramp: Ramp; readonly startSeconds: number; made: number }

/** The RP2040 firmware, with the dome that its motor turns. */
export class Rp2040Simulator implements ByteInstrument {
  readonly errors = ['BUSY', 'unknown_command', 'S1', 'S2', 'S3', 'field', 'parity', 'no-answer', 'jump']
  readonly troubles = ['frozen', 'switch', 'restart', 'healthy']
  readonly dome: SimulatedDome
  readonly #host: SimulatorHost
  readonly #splitter = new CommandSplitter(/\r?\n/)
  #running: Running | undefined
  /** Commands that came during a move, and when the firmware looks. */
  #waiting: { readonly line: string; readonly atSeconds: number }[] = []
  #booted: boolean
  #deaf = false

  constructor(host: SimulatorHost, dome = new SimulatedDome(host), options: { readonly boots?: boolean } = {}) {
    this.#host = host
    this.dome = dome
    this.#booted = options.boots !== true
  }

  receive(bytes: Uint8Array, seconds: number): Uint8Array {
    let out = this.#booted ? '' : `READY${TERMINATOR}`
    this.#booted = true
    out += this.#until(seconds)
    for (const line of this.#splitter.take(bytes)) {
      if (this.#running === undefined) out += this.#obey(line, seconds)
      else this.#waiting.push({ line, atSeconds: this.#nextPoll(this.#running, seconds) })
    }
    return Buffer.from(out, 'latin1')
  }

  dueAt(): number | undefined {
    const [first] = this.#waiting
    if (this.#running === undefined) return undefined
    return Math.min(first?.atSeconds ?? Number.POSITIVE_INFINITY, endOf(this.#running))
  }

  foreign(): Uint8Array {
    return Buffer.from(`OK ${SOMEBODY_ELSES.steps}${TERMINATOR}`, 'latin1')
  }

  provoke(code: string, seconds: number): void {
    switch (code) {
      case 'BUSY':
        this.#until(seconds)
        this.#running ??= running(SOMEBODY_ELSES, seconds)
        return
      case 'unknown_command':
        this.#deaf = true
        return
      case 'restart':
        return this.unplugged(seconds)
      case 'switch':
        this.dome.switchBroken = true
        return
      case 'healthy':
        this.dome.switchBroken = false
        this.dome.trouble = undefined
        return
      case 'jump':
        return this.dome.jump()
      case 'S1':
      case 'S2':
      case 'S3':
      case 'field':
      case 'parity':
      case 'no-answer':
      case 'frozen':
        this.dome.trouble = code
    }
  }

  /** It lives on USB: the motor stands, and what it was told is forgotten. */
  unplugged(seconds: number): void {
    this.advance(seconds)
    this.#running = undefined
    this.#waiting = []
    this.#booted = false
  }

  /** The dome is where it is at this time. */
  advance(seconds: number): void {
    const running = this.#running
    if (running === undefined) return
    const made = stepsAfter(running.ramp, running.move.steps, seconds - running.startSeconds)
    this.dome.step((made - running.made) * (running.move.direction === 1 ? 1 : -1))
    running.made = made
  }

  /** What has happened until then, in its order. */
  #until(seconds: number): string {
    let out = ''
    for (;;) {
      const [next] = this.#waiting
      const running = this.#running
      const end = running === undefined ? Number.POSITIVE_INFINITY : endOf(running)
      if (running !== undefined && end <= seconds && end <= (next?.atSeconds ?? Number.POSITIVE_INFINITY)) {
        this.advance(end)
        this.#running = undefined
        out += `OK ${running.move.steps}${TERMINATOR}`
      } else if (next !== undefined && (next.atSeconds <= seconds || running === undefined)) {
        this.#waiting.shift()
        out += this.#obey(next.line, Math.min(next.atSeconds, seconds))
      } else break
    }
    this.advance(seconds)
    return out
  }

  #obey(line: string, seconds: number): string {
    if (this.#deaf) {
      this.#deaf = false
      return `ERROR unknown_command${TERMINATOR}`
    }
    this.advance(seconds)
    const told = parseCommand(line)
    if (told === command.status) return `${this.#running === undefined ? 'IDLE' : `MOVING ${this.#running.move.steps - this.#running.made}`}${TERMINATOR}`
    if (told === command.stop) {
      this.#host.accepted(line)
      const stopped = this.#running
      this.#running = undefined
      return stopped === undefined ? '' : `STOPPED ${stopped.made}${TERMINATOR}`
    }
    if (typeof told === 'object' && 'wrong' in told) return `ERROR ${told.wrong}${TERMINATOR}`
    if (this.#running !== undefined) return `BUSY${TERMINATOR}`
    if (typeof told === 'object') {
      this.#host.accepted(line)
      this.#running = running(told, seconds)
    }
    return ''
  }

  #nextPoll({ ramp, move, startSeconds }: Running, seconds: number): number {
    const elapsed = seconds - startSeconds
    const made = stepsAfter(ramp, move.steps, elapsed)
    if (made >= ramp.risingUs.length && made < move.steps - ramp.fallingUs.length)
      return startSeconds + (Math.floor(elapsed / CRUISE_POLL_SECONDS) + 1) * CRUISE_POLL_SECONDS
    const next = (Math.floor(made / RAMP_POLL_STEPS) + 1) * RAMP_POLL_STEPS
    return startSeconds + secondsOf(ramp, move.steps, Math.min(next, move.steps)) - BEFORE_NEXT_STEP_SECONDS
  }
}

function running(move: Move, seconds: number): Running {
  return { move, ramp: rampOf(move.steps, move.delayUs, move.ramp), startSeconds: seconds + DIRECTION_SETTLES_SECONDS, made: 0 }
}

function endOf({ ramp, move, startSeconds }: Running): number {
  return startSeconds + secondsOf(ramp, move.steps)
}

/** Motor controller on a pseudo-terminal; encoder and switch on sockets beside it, which stand for the kernel's devices. */
export const simulation: Simulation = {
  driverId: 'dome-rotator',
  description:
    'A dome of 1941866 steps: RP2040 controller, EMS22A encoder (slip, backlash, noise) and the recalibration switch at 45 deg. It is parked at 40 deg.',
  start: async (options) => {
    const { timeFactor = 1 } = options
    const lineSeconds = clockOf(options)
    const seconds = withoutGaps(lineSeconds, LONGEST_GAP_SECONDS * timeFactor)
    const host = hostOf(options)
    // A faster dome presses a wider switch, and for as long: whoever looks at it does so at the pace of the real one.
    const dome = new SimulatedDome({ random: host.random, switchWidth: Math.min(SWITCH_WIDTH * timeFactor, WIDEST_SWITCH) })
    const instrument = new Rp2040Simulator(host, dome, { boots: true })
    const encoderPath = join(options.folder, `${options.name}.spi`)
    const switchPath = join(options.folder, `${options.name}.gpio`)
    const device = {
      encoder: `spi://${encoderPath}`,
      recalibrationSwitch: `gpio://${switchPath}`,
      switchLine: SWITCH_LINE,
      startAzimuth: 40,
      fastest: FASTEST * timeFactor,
      tolerance: 0.1,
    }
    const opened: AsyncDisposable[] = []
    try {
      const encoder = await serveSpi(encoderPath, (mode, bytes) => {
        instrument.advance(seconds())
        return instrument.dome.frame(mode).subarray(0, bytes.length)
      })
      opened.push(encoder)
      const recalibration = await serveLines(switchPath, (line) => {
        instrument.advance(seconds())
        return line === SWITCH_LINE ? instrument.dome.switchLevel() : undefined
      })
      opened.push(recalibration)
      return await serveTerminal({ instrument: inTimeOf(instrument, seconds, lineSeconds), baudRate: BAUD_RATE, devices: [device], beside: opened }, options)
    } catch (error) {
      for (const each of opened.reverse()) await each[Symbol.asyncDispose]()
      throw error
    }
  },
}

/** Stands still while nobody could look at it: a process that was held up finds the dome where it left it, not half a turn of the wheel farther. */
function withoutGaps(seconds: () => number, longest: number): () => number {
  let [last, passed] = [seconds(), 0]
  return () => {
    const now = seconds()
    passed += Math.min(now - last, longest)
    last = now
    return passed
  }
}

/** The instrument in a time of its own, on a line that counts another. */
function inTimeOf(instrument: Rp2040Simulator, own: () => number, line: () => number): ByteInstrument {
  return {
    receive: (bytes) => instrument.receive(bytes, own()),
    dueAt: () => {
      const at = instrument.dueAt()
      return at === undefined ? undefined : at - own() + line()
    },
    foreign: () => instrument.foreign(),
    errors: instrument.errors,
    troubles: instrument.troubles,
    provoke: (code) => instrument.provoke(code, own()),
    unplugged: () => instrument.unplugged(own()),
  }
}
