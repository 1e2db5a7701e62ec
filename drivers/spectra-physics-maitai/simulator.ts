import { hostOf, serveTerminal } from '../simulation/serve-simulation.ts'
import type { Simulation } from '../simulation/simulation.ts'
import { type ByteInstrument, CommandSplitter, gaussian, type SimulatorHost } from '../simulation/simulator.ts'
import { REPLY_TERMINATOR } from './protocol.ts'
import { LINKS, type Link } from './settings.ts'
import { RANGE_NM, SimulatedLaser } from './simulated-laser.ts'

const IDENTITY = 'Spectra Physics,MaiTai,3227/51054/40856,0245-2.00.34 / CD00000019 / 214-00.004.057'
const POWER_NOISE = 0.003 // of the power, one standard deviation
const HUMIDITY_PERCENT = 7.26
const HUMIDITY_NOISE = 0.02
const STATUS_SEEN = 8 // a bit that was recorded, of unknown meaning
const SLOW_REPLY_SECONDS = { least: 2, most: 3 }
const MAX_OWED = 64 // replies that its buffer holds; more are lost

export type MaiTaiOptions = {
  /** Slow answers belong to the older link. Default usb. */
  readonly link?: Link['name']
  /** From cold, 20 to 30 minutes; 0: it is warm. Default 0. */
  readonly warmUpSeconds?: number
  /** When it was plugged in, on the lab's clock. Default 0. */
  readonly poweredAt?: number
  readonly wavelength?: number
  /** How many decimals the output power has: both were recorded. Default 3. */
  readonly powerDecimals?: 2 | 3
  /** Whether it answers what its watchdog is set to. Default true. */
  readonly tellsWatchdog?: boolean
  /** How often a set is echoed, and how often a power loses its front, of 1. Default never. */
  readonly echoes?: number
  readonly cuts?: number
}

/** The laser behind its serial line. */
export class MaiTaiSimulator implements ByteInstrument {
  /** LOCAL: the front panel's switch. The numbers are pump faults; the manual's list of them is not at hand, any but 0 is one. */
  readonly errors: readonly string[] = ['LOCAL', '1', '42']
  readonly laser: SimulatedLaser
  readonly #host: SimulatorHost
  readonly #options: MaiTaiOptions
  readonly #splitter = new CommandSplitter(/[\r\n]/)
  /** Replies that are still under way, in order, and when each is due. */
  readonly #owed: { readonly at: number; readonly text: string }[] = []
  #remote = true
  #watchdogSeconds = 0
  #heardAt = 0
  #lastAsked = ''

  constructor(host: SimulatorHost, options: MaiTaiOptions = {}) {
    this.#host = host
    this.#options = options
    const { warmUpSeconds = 0, poweredAt = 0, wavelength = 820 } = options
    this.laser = new SimulatedLaser({ warmUpSeconds, poweredAt, wavelength })
  }

  /** Somebody turns the switch at the front panel. In LOCAL the laser answers, and obeys nothing. */
  turnPanel(to: 'LOCAL' | 'REMOTE'): void {
    this.#remote = to === 'REMOTE'
  }

  foreign(): Uint8Array {
    return Buffer.from((this.#lastAsked === 'MODE' ? '820nm' : 'POW') + REPLY_TERMINATOR, 'latin1')
  }

  provoke(code: string): void {
    if (code === 'LOCAL') return this.turnPanel('LOCAL')
    this.laser.pumpFault = Number(code)
    this.laser.switchOff()
  }

  dueAt(): number | undefined {
    return this.#owed[0]?.at
  }

  receive(bytes: Uint8Array, seconds: number): Uint8Array {
    this.watch(seconds)
    for (const text of this.#splitter.take(bytes)) this.#hear(text, seconds)
    const due = this.#owed.findIndex(({ at }) => at > seconds)
    const said = this.#owed.splice(0, due < 0 ? this.#owed.length : due)
    return Buffer.from(said.map(({ text }) => text + REPLY_TERMINATOR).join(''), 'latin1')
  }

  /** Its watchdog: nothing heard for too long, and the emission ends. */
  watch(seconds: number): void {
    if (this.#watchdogSeconds > 0 && seconds - this.#heardAt > this.#watchdogSeconds) this.laser.switchOff()
  }

  #hear(text: string, seconds: number): void {
    this.#heardAt = seconds
    const [, header = '', argument] = /^([*A-Z:]+\??)(?: +(\S+))?$/.exec(text.toUpperCase()) ?? []
    const question = QUESTIONS.find(({ names }) => names.has(header))
    if (question !== undefined && argument === undefined) {
      if (question.name === 'WATC' && this.#options.tellsWatchdog === false) return
      this.#lastAsked = question.name
      return this.#say(this.#answer(question.name, seconds), seconds)
    }
    const set = SETS.find(({ names }) => names.has(header))
    if (set === undefined) return // what it does not know is not answered
    if (this.#host.random() < (this.#options.echoes ?? 0)) this.#say(text, seconds)
    if (this.#remote && this.#obey(set.name, argument, seconds)) this.#host.accepted(text)
  }

  #answer(name: string, seconds: number): string {
    const { laser } = this
    const { powerDecimals = 3, cuts = 0 } = this.#options
    switch (name) {
      case 'IDN':
        return IDENTITY
      case 'WAV':
        return `${laser.setpoint}nm`
      case 'WAVMIN':
        return `${RANGE_NM.minimum}nm`
      case 'WAVMAX':
        return `${RANGE_NM.maximum}nm`
      case 'READWAV':
        return `${Math.round(laser.wavelength(seconds))}nm`
      case 'READPOW': {
        const power = `${(laser.outputWatts(seconds) * this.#noise(POWER_NOISE)).toFixed(powerDecimals)}W`
        return cuts > 0 && this.#host.random() < cuts ? power.slice(-1) : power
      }
      case 'READPLASPOW':
        return `${laser.pumpWatts(seconds).toFixed(2)}W`
      case 'READPCTW':
        return `${laser.warmUpPercent(seconds).toFixed(2)}%`
      case 'READHUM':
        return `${(HUMIDITY_PERCENT * this.#noise(HUMIDITY_NOISE)).toFixed(2)}%`
      case 'SHUT':
        return laser.shutterOpen(seconds) ? '1' : '0'
      case 'STB':
        return String(STATUS_SEEN + (laser.emitting ? 1 : 0))
      case 'MODE':
        return 'POW'
      case 'WATC':
        return String(this.#watchdogSeconds)
      default: // ERRC
        return String(laser.pumpFault)
    }
  }

  /** false: without an effect, and without a word. */
  #obey(name: string, argument: string | undefined, seconds: number): boolean {
    const value = argument === undefined ? Number.NaN : Number(argument)
    switch (name) {
      case 'WAV':
        if (!(value >= RANGE_NM.minimum && value <= RANGE_NM.maximum)) return false
        this.laser.tune(Math.round(value), seconds)
        return true
      case 'SHUT':
        if (value !== 0 && value !== 1) return false
        this.laser.moveShutter(value === 1, seconds)
        return true
      case 'ON':
        return this.laser.switchOn(seconds)
      case 'OFF':
        this.laser.switchOff()
        return true
      case 'WATC':
        if (!(value >= 0)) return false
        this.#watchdogSeconds = value
        return true
      default: // SAV
        return true
    }
  }

  #say(text: string, seconds: number): void {
    if (this.#owed.length >= MAX_OWED) return
    const { least, most } = SLOW_REPLY_SECONDS
    const takes = this.#options.link === 'rs232' ? least + (most - least) * this.#host.random() : 0
    this.#owed.push({ at: Math.max(seconds, this.#owed.at(-1)?.at ?? seconds) + takes, text })
  }

  #noise(part: number): number {
    return 1 + part * gaussian(this.#host.random)
  }
}

type Header = { readonly name: string; readonly names: ReadonlySet<string> }

/** As the manual writes it: capitals are the short form, and the whole word the long one; nothing in between. */
function header(name: string, written: string): Header {
  const forms = written.split(':').map((word) => [word.replaceAll(/[a-z]/g, ''), word.toUpperCase()])
  const names = forms.reduce((so, words) => so.flatMap((start) => words.map((word) => (start === '' ? word : `${start}:${word}`))), [''])
  return { name, names: new Set(names) }
}

const QUESTIONS: readonly Header[] = [
  header('IDN', '*IDN?'),
  header('STB', '*STB?'),
  header('WAV', 'WAVelength?'),
  header('WAVMIN', 'WAVelength:MIN?'),
  header('WAVMAX', 'WAVelength:MAX?'),
  header('READWAV', 'READ:WAVelength?'),
  header('READPOW', 'READ:POWer?'),
  header('READPLASPOW', 'READ:PLASer:POWer?'),
  header('READPCTW', 'READ:PCTWarmedup?'),
  header('READHUM', 'READ:HUM?'),
  header('SHUT', 'SHUTter?'),
  header('MODE', 'MODE?'),
  header('ERRC', 'PLASer:ERRCode?'),
  header('WATC', 'TIMer:WATChdog?'),
]
const SETS: readonly Header[] = [
  header('WAV', 'WAVelength'),
  header('SHUT', 'SHUTter'),
  header('ON', 'ON'),
  header('OFF', 'OFF'),
  header('WATC', 'TIMer:WATChdog'),
  header('SAV', 'SAVe'),
]

/** By the name of their link. */
const LASERS: Readonly<Record<Link['name'], string>> = {
  usb: 'a newer one on its USB adapter, at 115200 baud',
  rs232: 'an older one on RS-232, at 9600 baud, whose answers take 2 to 3 s',
}

export const simulation: Simulation = {
  driverId: 'spectra-physics-maitai',
  description: 'Mai Tai laser, warm, with its shutter closed',
  variants: LASERS,
  start: (options) => {
    const link: Link['name'] = options.variant === 'rs232' ? 'rs232' : 'usb'
    // A station that is slow for a moment is a long time for a laser whose time runs faster.
    const devices = [{ link, watchdogSeconds: 3600 }]
    return serveTerminal({ instrument: new MaiTaiSimulator(hostOf(options), { link }), baudRate: LINKS[link].baudRate, devices }, options)
  },
}
