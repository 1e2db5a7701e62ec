/**
 * Bourns EMS22A: a 10-bit absolute magnetic encoder. Its frame, most significant bit first: D9..D0, S1 offset compensation finished, S2 CORDIC overflow,
 * S3 linearity alarm, S4 field increasing, S5 field decreasing, P1 even parity over all sixteen bits. It is read in SPI mode 1; read in mode 0, as DriftApp
 * does, every bit comes one place late and the parity bit is lost.
 */

/** How the frames arrive: `standard` in SPI mode 1, `legacy` in mode 0, one bit late. */
export type Alignment = 'standard' | 'legacy'
export const ALIGNMENTS = ['standard', 'legacy'] as const satisfies readonly Alignment[]

export const FRAME_BYTES = 2
/** Positions of a turn. */
export const POSITIONS = 1024
/** Of the running total in a turn of the encoder: DriftApp's late bit doubles the position, and its calibration counts these. Both alignments count so here. */
export const COUNTS_PER_TURN = 2 * POSITIONS

/** Why a frame is no position, or a doubtful one. */
export type FrameFault = 'short' | 'parity' | 'not-ready' | 'overflow' | 'linearity' | 'field'

export type EncoderFrame =
  /** `counts`: the position in COUNTS_PER_TURN; `raw`: what DriftApp would publish in this alignment; `doubtful`: its alarm, and the value may be off. */
  { readonly counts: number; readonly raw: number; readonly doubtful?: FrameFault } | { readonly fault: FrameFault }

const S1 = 1 << 5
const S2 = 1 << 4
const S3 = 1 << 3
const S4 = 1 << 2
const S5 = 1 << 1

export function decodeFrame(bytes: Uint8Array, alignment: Alignment): EncoderFrame {
  const [high, low] = bytes
  if (high === undefined || low === undefined || bytes.length !== FRAME_BYTES) return { fault: 'short' }
  const received = (high << 8) | low
  const word = alignment === 'legacy' ? (received << 1) & 0xffff : received
  if (alignment === 'standard' && parityOf(word) !== 0) return { fault: 'parity' }
  if ((word & S1) === 0) return { fault: 'not-ready' }
  if ((word & S2) !== 0) return { fault: 'overflow' }
  const position = word >> 6
  const frame = { counts: 2 * position, raw: alignment === 'legacy' ? legacyRaw(bytes) : position }
  if ((word & S3) !== 0) return { ...frame, doubtful: 'linearity' }
  // One of them alone: the magnet comes nearer or goes away, as the part's push button does. Both: the field is out of range.
  return (word & S4) !== 0 && (word & S5) !== 0 ? { ...frame, doubtful: 'field' } : frame
}

/** What DriftApp takes for the position: bits 13 to 4 of what it read in mode 0. */
export function legacyRaw(bytes: Uint8Array): number {
  return ((((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) >> 4) & (POSITIONS - 1)
}

export type EncoderStatus = {
  readonly finished: boolean
  readonly overflow: boolean
  readonly linearity: boolean
  readonly increasing: boolean
  readonly decreasing: boolean
}

export const HEALTHY: EncoderStatus = { finished: true, overflow: false, linearity: false, increasing: false, decreasing: false }

/** The word that the encoder sends. */
export function encodeFrame(position: number, status: EncoderStatus = HEALTHY): number {
  const bits =
    (status.finished ? S1 : 0) | (status.overflow ? S2 : 0) | (status.linearity ? S3 : 0) | (status.increasing ? S4 : 0) | (status.decreasing ? S5 : 0)
  const word = ((position & (POSITIONS - 1)) << 6) | bits
  return word | parityOf(word)
}

/** 0: an even number of ones. */
function parityOf(word: number): 0 | 1 {
  let folded = word
  for (const shift of [8, 4, 2, 1]) folded ^= folded >> shift
  return folded & 1 ? 1 : 0
}
