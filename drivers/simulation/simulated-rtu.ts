import type { DeviceSettings } from '../../core/device.ts'
import { framed, isWhole } from '../modbus/crc.ts'
import { silenceMs } from '../modbus/rtu.ts'
import { answerRequest, EXCEPTION_CODES, exceptionReply } from './modbus-pdu.ts'
import { serveTerminal } from './serve-simulation.ts'
import type { RunningSimulation, SimulationOptions } from './simulation.ts'
import type { ByteInstrument, RegisterInstrument } from './simulator.ts'

/** Devices on a Modbus RTU line: real frames with their CRC, at the pace of the line. */

export type RtuLineOptions = {
  /** By their addresses, 1 to 247. */
  readonly units: ReadonlyMap<number, RegisterInstrument>
  readonly baudRate: number
  /** With start bit, parity and stop bits: 11 as the standard has it. */
  readonly bitsPerCharacter: number
  /** What a device takes for an answer, beside the silence between frames. */
  readonly answerMs: number
}

const BITS_OF_A_TERMINAL = 10 // as simulated-terminal.ts counts them
const MAX_FRAME_BYTES = 256 // "MODBUS over Serial Line V1.02", 2.5.1
const CRC_BYTES = 2
/** A device gives up on a frame at 1.5 characters of silence; a terminal's bytes come when the machine has time for them. */
const GIVE_UP_AFTER_SECONDS = 0.1
const BROADCAST = 0

export class RtuUnits implements ByteInstrument {
  readonly errors = EXCEPTION_CODES
  readonly framedBySilence = true
  readonly #options: RtuLineOptions
  #held = Buffer.alloc(0)
  #lastSeconds = 0
  #refusal: number | undefined
  #lastReply: Uint8Array = new Uint8Array()

  constructor(options: RtuLineOptions) {
    this.#options = options
  }

  receive(bytes: Uint8Array, seconds: number): Uint8Array {
    if (seconds - this.#lastSeconds > GIVE_UP_AFTER_SECONDS) this.#held = Buffer.alloc(0)
    this.#lastSeconds = seconds
    this.#held = Buffer.concat([this.#held, bytes])
    const replies: Uint8Array[] = []
    for (;;) {
      const length = frameLength(this.#held)
      if (length === undefined || this.#held.length < length) break
      const frame = this.#held.subarray(0, length)
      if (!isWhole(frame)) {
        this.#held = Buffer.alloc(0) // until the silence nothing can be told apart
        break
      }
      this.#held = Buffer.from(this.#held.subarray(length))
      const reply = this.#answer(frame, seconds)
      if (reply !== undefined) replies.push(reply)
    }
    if (this.#held.length > MAX_FRAME_BYTES) this.#held = Buffer.alloc(0)
    return Buffer.concat(replies)
  }

  /** Frames are apart by silence. */
  tookMs(): number {
    return silenceMs({ path: '', ...this.#options }) + this.#options.answerMs
  }

  /** The last answer as another device would have given it. */
  foreign(): Uint8Array {
    const unit = ((this.#lastReply[0] ?? 0) % 247) + 1
    const pdu = Uint8Array.from(this.#lastReply.subarray(1, -CRC_BYTES), (byte, index) => (index < 2 ? byte : byte ^ 0x55))
    return framed(unit, pdu)
  }

  /** The next request is refused with this exception. */
  provoke(code: string): void {
    this.#refusal = Number(code)
  }

  #answer(frame: Uint8Array, seconds: number): Uint8Array | undefined {
    const unit = frame[0] ?? BROADCAST
    const pdu = Buffer.from(frame.subarray(1, -CRC_BYTES))
    if (unit === BROADCAST) {
      for (const instrument of this.#options.units.values()) answerRequest(pdu, instrument, seconds)
      return undefined
    }
    const instrument = this.#options.units.get(unit)
    if (instrument === undefined) return undefined
    const refusal = this.#refusal
    this.#refusal = undefined
    const answer = refusal === undefined ? answerRequest(pdu, instrument, seconds) : exceptionReply(pdu[0] ?? 0, refusal)
    this.#lastReply = framed(unit, answer)
    return this.#lastReply
  }
}

/** Bytes of the request that begins here; undefined while that cannot be known. What has no known function ends where its CRC fits. */
function frameLength(held: Uint8Array): number | undefined {
  const [, code] = held
  if (code === undefined) return undefined
  if (code >= 1 && code <= 6) return 8
  if (code === 22) return 10
  const counted = code === 15 || code === 16 ? 6 : code === 23 ? 10 : undefined
  if (counted !== undefined) return held[counted] === undefined ? undefined : counted + 1 + (held[counted] ?? 0) + CRC_BYTES
  return held.length >= 4 && isWhole(held) ? held.length : undefined
}

/** On a pseudo-terminal, linked as `<name>.tty` in the folder. */
export async function serveRtu(
  served: RtuLineOptions & { readonly devices: readonly DeviceSettings[] },
  options: SimulationOptions,
): Promise<RunningSimulation> {
  const { devices, ...line } = served
  const factor = options.lineFactor ?? 1
  const baudRate = (line.baudRate * BITS_OF_A_TERMINAL) / line.bitsPerCharacter
  const instrument = new RtuUnits({ ...line, baudRate: line.baudRate * factor, answerMs: line.answerMs / factor })
  return await serveTerminal({ instrument, baudRate, devices }, options)
}
