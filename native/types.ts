import type { ScanLayout, ScanRecording } from '../core/acquisition.ts'
import type { Roi } from '../core/device.ts'
import type { FrameEncoding, FrameLayout, FrameStatistics } from '../core/frame.ts'

/** What the addon offers, in TypeScript's words. `devices.ts` and `files.ts` hand these out; nobody else loads the binary. */

/** A pseudo-terminal pair. The slave stays open here too, so that the master outlives its users. */
export interface PseudoTerminal {
  readonly masterFd: number
  /** e.g. /dev/pts/3 */
  readonly slavePath: string
  /** The caller closes the master from now on: a stream over it does when it is destroyed. */
  giveMaster(): number
  close(): void
}

/**
 * Fixed slots in a memory-mapped file, one writer, any number of readers, sequence-locked. Layout: docs/frame-ring.md.
 * The file is allocated once; its slots start on 4096-byte boundaries so that they can be written with O_DIRECT.
 */
export interface FrameRing extends AsyncDisposable {
  readonly path: string
  readonly slots: number
  readonly frameBytes: number
  readonly width: number
  readonly height: number
  /** A pixel at or above it counts as saturated. */
  readonly saturation: number
  /** Whose means are in each stamp, in their order. */
  readonly regions: readonly Roi[]
  /** Frames published since the ring was made. */
  readonly published: bigint
  /**
   * What is known of the frames that were published as number `from` (from 0) and later, oldest first, at most `most` (4096) of them. In the process that writes the ring
   * the last 4096 stamps are kept, in any other one those of the frames that are still there: a first `index` above `from` says how many are missing.
   */
  stamps(from: bigint, most?: number): readonly FrameStamp[]
}

/** What the writer of a ring is to measure of every frame. */
export type RingMeasures = {
  /** A pixel at or above it counts as saturated, 1 to 65535; absent: 65535. */
  readonly saturation?: number
  /** In pixels of the ring's frames, at most MAX_STATISTICS_REGIONS. */
  readonly regions?: readonly Roi[]
}

/** Of a ring, as the stamp has room for: kMaxRegions of native/src/statistics.h. */
export const MAX_STATISTICS_REGIONS = 8

/** What is known of one frame of a ring beside its pixels. */
export type FrameStamp = {
  /** Its place among the frames that were published: 0, 1, 2 ... without gaps. */
  readonly index: bigint
  /** The source's own count; a gap is a frame that the source lost. */
  readonly sequence: bigint
  /** Nanoseconds since 1970, host clock at the end of the exposure. */
  readonly timeNs: bigint
  readonly exposureNs: bigint
  /** The source's own clock at the end of the exposure, from a start of its own; absent without one. */
  readonly hardwareTimeNs?: bigint
  readonly statistics: FrameStatistics
}

/** One frame of a ring, copied out of it. */
export type RingFrame = FrameStamp & { readonly pixels: Uint16Array }

/** `rateHz` absent: as fast as a recording takes them. */
export type PatternOptions = {
  readonly rateHz?: number
  readonly frames: number
  /** Each frame is copied whole from memory of the source's own, as a camera's is; unmeasured: with the statistics of no pixel, to see what they cost. */
  readonly copied?: 'measured' | 'unmeasured'
  /** Of the pixels below the first row: the shorter, the more can be compressed. Absent: 65536. */
  readonly period?: number
}

/** `threadSeconds`: of the processor's time, which a busy machine does not make longer. */
export type ThreadTimes = { readonly seconds: number; readonly threadSeconds: number }

export type TapOptions = {
  /** The mean of bin x bin pixels, rounded half up. */
  readonly bin: 1 | 2 | 4
  /** In pixels of the ring's frames, at least bin x bin of them; absent: all. What does not fill a square at the right and at the bottom is not in the picture. */
  readonly region?: Roi
  /** One LZ4 block, where that is smaller. */
  readonly compress?: boolean
  /** false: only what is known of the frame. */
  readonly pixels?: boolean
  /** Nothing that is not newer than this sequence. */
  readonly after?: bigint
}

/** Taken from the newest whole frame of a ring, in native code beside JavaScript's thread. */
export type FrameTap = Omit<FrameStamp, 'statistics'> &
  Omit<FrameStatistics, 'regionMeans'> & {
    readonly width: number
    readonly height: number
    readonly encoding: FrameEncoding
    /** Empty without pixels. */
    readonly data: Uint8Array<ArrayBuffer>
  }

export type RecordingOptions = FrameLayout & {
  /** Absolute path of the Arrow IPC stream to create (must not exist). Its index is made beside it, with `.index` behind the name. */
  readonly path: string
  /** Stop by itself after this many frames; absent: until stop(). */
  readonly frames?: number
  /** Refuse to go on when less than this is free on the disk: the recording ends whole, with reason 'disk-full'. */
  readonly keepFreeBytes: number
  /** Of one file: what does not fit goes into `-0001` and so on beside it (storage/frame-segments.ts). Absent: all goes into one. */
  readonly segmentBytes?: number
  /** Of one write of frames that are there already; at least one frame. Absent: 8 MiB. */
  readonly writeBytes?: number
  /** Through the page cache, and not past it. */
  readonly buffered?: boolean
}

/** A rectangle of the frames of a file: those of the first begin at `offset`, of each next one `step` bytes further, `frameWidth` 16-bit pixels a row. */
export type RegionSeriesOptions = {
  readonly path: string
  readonly offset: number
  readonly step: number
  readonly frames: number
  readonly frameWidth: number
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** Map the file, and not copy out of it; where the system is too old to do that safely, it is read all the same. */
  readonly mapped: boolean
}

/** Volts, milliamperes, or no unit: a range that something outside sets the span of. */
export type ComediRange = { readonly minimum: number; readonly maximum: number; readonly unit: 'V' | 'mA' | undefined }

export type ComediKind = 'UNUSED' | 'ANALOG_IN' | 'ANALOG_OUT' | 'DIGITAL_IO' | 'COUNTER' | 'OTHER'

/** Against what an analog input is measured; by Comedi's numbers 0 to 3. */
export const COMEDI_REFERENCES = ['GROUND', 'COMMON', 'DIFFERENTIAL', 'OTHER'] as const
export type ComediReference = (typeof COMEDI_REFERENCES)[number]

export type ComediSubdevice = {
  readonly kind: ComediKind
  readonly channels: number
  /** The largest raw value; of channel 0, as are the ranges. */
  readonly maxdata: number
  readonly ranges: readonly ComediRange[]
  readonly references: readonly ComediReference[]
  /** Whether acquire() may be asked of it. */
  readonly acquires: boolean
  /** Whether play() may be asked of it. */
  readonly plays: boolean
}

/** `range` and `reference` are indices: of the subdevice's ranges, of COMEDI_REFERENCES. */
export type ComediChannel = { readonly subdevice: number; readonly channel: number; readonly range: number; readonly reference: number }

type ComediLine = { readonly subdevice: number; readonly line: number }

/** An edge at one of the board's programmable function inputs. */
export type ComediTrigger = { readonly pin: number; readonly falling: boolean }

export type ComediCommandOptions = {
  readonly subdevice: number
  /** In the order of a scan. */
  readonly channels: readonly Omit<ComediChannel, 'subdevice'>[]
  /** From one scan to the next. Refused when the board would make something else of it than a rounding to its clock. */
  readonly scanIntervalNs: number
  /** Absent: until stop(). */
  readonly scans?: number
  /** What the first scan waits for; absent: nothing. */
  readonly start?: ComediTrigger
}

/** What a counter counts, and when: by itself the board's 20 MHz, always. */
export type ComediCounting = {
  /** Its 100 kHz instead. */
  readonly slow?: boolean
  /** The edges at a programmable function input instead. */
  readonly edges?: ComediTrigger
  /** Only while this programmable function input is high. */
  readonly gatePin?: number
}

export type ComediAcquisitionOptions = ComediCommandOptions & {
  /** Scans that are kept for whoever takes them, beside those in the board's own buffer. */
  readonly bufferScans: number
}

/** As the board does it, after its own rounding. */
export type ComediTiming = { readonly scanIntervalNs: number; readonly convertIntervalNs: number }

/** Raw, scan after scan; 16 bits wide where the subdevice's samples are. */
export type ComediSamples = Uint16Array | Uint32Array

/** A command of the board under way. Disposing stops it. */
export interface ComediAcquisition extends ComediTiming, AsyncDisposable {
  /**
   * Whole scans, at least one, in order, each exactly once; waits for them: ask for the next when the last are there. undefined once it has ended as it should.
   * Throws HardwareFault, after everything that came before, when it has not: instrumentCode 32 (EPIPE) when samples were not taken in time and the board's
   * buffer overflowed.
   */
  take(maximumScans: number): Promise<ComediSamples | undefined>
  /**
   * Everything from here on goes to a table on disk, by the writer of frames: each batch is a slot of a ring, filled with columns. Times are the board's, from
   * the host's clock at the start of the command on; values are in the unit of each channel's range. The recording ends when the acquisition does; its stop()
   * stops both.
   */
  record(options: ScanRecordingOptions): ScanRecording
  /** The newest whole scan, whether or not it has been taken; undefined before the first. */
  latest(): ComediSamples | undefined
  /** What was read before can still be taken. */
  stop(): Promise<void>
}

export type ComediPlaybackOptions = {
  readonly subdevice: number
  /** In the order of a scan. */
  readonly channels: readonly Omit<ComediChannel, 'subdevice'>[]
  /** From one sample of an output to its next. Refused when the board would make something else of it than a rounding to its clock. */
  readonly scanIntervalNs: number
  /** Raw, scan after scan: one period. */
  readonly samples: Uint32Array
  /** How often it is played, as far as the board counts: 16 777 215 scans of NI's E series. Absent: until stop(). */
  readonly repeats?: number
}

/**
 * A waveform that the board plays, timed by its own clock: every sample once and in order, period after period without a seam. However it ends, the outputs
 * stay at the last sample that was played; what is read of an output afterwards is what was written to it directly before: write it to know it. Disposing stops
 * it.
 */
export interface ComediPlayback extends AsyncDisposable {
  /** As the board does it, after its own rounding. */
  readonly scanIntervalNs: number
  /**
   * Once the board has played the last sample, or it was stopped. Fails with HardwareFault when it ended badly: instrumentCode 32 (EPIPE) when samples were not
   * written in time and the board had none left.
   */
  readonly ended: Promise<void>
  /** Ends it at once, in the middle of a period. */
  stop(): Promise<void>
}

export type ScanRecordingOptions = ScanLayout & {
  /** As in RecordingOptions. */
  readonly path: string
  readonly keepFreeBytes: number
  readonly ringPath: string
  readonly ringSlots: number
}

/**
 * One data acquisition board, through libcomedi. Values are raw counts. Calls are made one after the other on a thread of the board's own. Throws
 * InvalidValue for what the board does not have, DeviceBusy while what is asked is part of a command under way, HardwareFault with Comedi's code else.
 */
export interface ComediBoard extends AsyncDisposable {
  readonly driver: string
  readonly board: string
  /** Of Comedi in the kernel. */
  readonly version: string
  readonly subdevices: readonly ComediSubdevice[]
  read(channel: ComediChannel): Promise<number>
  write(channel: ComediChannel, value: number): Promise<void>
  configureLine(line: ComediLine, output: boolean): Promise<void>
  lineIsOutput(line: ComediLine): Promise<boolean>
  readLine(line: ComediLine): Promise<boolean>
  writeLine(line: ComediLine, high: boolean): Promise<void>
  /** Writes the bits of `mask`, the lowest for line `base`, and gives all of them as they are then. */
  bits(options: { readonly subdevice: number; readonly mask: number; readonly bits: number; readonly base: number }): Promise<number>
  /** Counts up from 0, at once. */
  startCounter(subdevice: number, counting?: ComediCounting): Promise<void>
  /** Makes pulses at the counter's output, low first, from now on. Ticks are of 50 ns, 2 at least for each half. */
  startPulses(subdevice: number, ticks: { readonly low: number; readonly high: number }): Promise<void>
  /** It keeps its value. */
  stopCounter(subdevice: number): Promise<void>
  counterRuns(subdevice: number): Promise<boolean>
  /** Of the board's frequency output: 10 MHz, or (slow) 100 kHz, by 1 to 16. */
  outputFrequency(subdevice: number, options: { readonly slow: boolean; readonly divider: number }): Promise<void>
  /** Stops it, at 0. */
  resetCounter(subdevice: number): Promise<void>
  /** What the board would make of such a command; it does nothing. */
  check(options: ComediCommandOptions): Promise<ComediTiming>
  acquire(options: ComediAcquisitionOptions): Promise<ComediAcquisition>
  /** Resolves when it plays. All outputs of the subdevice are busy until it ends, also those that are no part of it. */
  play(options: ComediPlaybackOptions): Promise<ComediPlayback>
}

export type SpiOptions = {
  /** e.g. /dev/spidev0.0 */
  readonly path: string
  readonly mode: 0 | 1 | 2 | 3
  readonly speedHz: number
}

/** One chip-select of Linux spidev. */
export interface SpiDevice {
  /** Full duplex, in one chip-select frame; the select line was high for at least a microsecond before. Frames keep their order only if awaited. */
  transfer(bytes: Uint8Array): Promise<Uint8Array>
  /** A transfer under way is finished first. */
  close(): void
}

export type GpioInputOptions = {
  /** e.g. /dev/gpiochip0 */
  readonly path: string
  /** Offset on the chip. */
  readonly line: number
  readonly bias: 'pull-up' | 'pull-down' | 'none'
}

/** One line of a Linux GPIO chip, requested for us alone. */
export interface GpioInput {
  /** What the kernel calls the chip. */
  readonly chip: string
  level(): boolean
  close(): void
}

export type StepperOptions = { readonly path: string; readonly stepLine: number; readonly directionLine: number }

/** How long to wait after each step: `risingUs` after the first ones, `fallingUs` after the last ones, `cruiseUs` between them. */
export type StepPlan = {
  readonly steps: number
  readonly directionHigh: boolean
  readonly risingUs: Float64Array
  readonly fallingUs: Float64Array
  readonly cruiseUs: number
}

export type StepsMade = {
  /** Steps that were made. */
  readonly steps: number
  readonly stopped: boolean
  /** Whether the system let the thread have real-time priority. */
  readonly realTime: boolean
  /** Steps that came later than their delay by more than half of it. */
  readonly late: number
  /** Why it ended early, other than by stop(). */
  readonly failure?: string
}

/** A step-and-direction motor driver on two lines of a Linux GPIO chip, stepped by a native thread. */
export interface Stepper {
  readonly chip: string
  /** Steps that the move under way has still to make; 0 without one. */
  readonly remaining: number
  /** Resolves when the motor stands, however the move ended. One at a time: throws DeviceBusy. */
  move(plan: StepPlan): Promise<StepsMade>
  /** Ends the move before its next step. */
  stop(): void
  /** Stops, and gives the lines back. */
  close(): void
}

/** What a library came back with: code 0 is KYMOGRAPH_OK of native/include/kymograph_driver.h, the others are there too. */
export type LibraryAnswer<Name extends string = 'value', Value = undefined> =
  | ({ readonly code: 0 } & { readonly [name in Name]: Value })
  | { readonly code: Exclude<LibraryCode, 0>; readonly text: string }

/** KYMOGRAPH_OK, _REFUSED, _FAILED, _LOST; a library may come back with any other, which is a failure. */
export type LibraryCode = 0 | 1 | 2 | 3

/** One open device. A call may take its time; make the next one when the last has been answered, but for stop, which may come at any time. */
export interface LibraryDevice {
  describe(): Promise<LibraryAnswer<'value', string>>
  /** undefined: a value of a kind that there is not. */
  read(name: string): Promise<LibraryAnswer<'value', number | boolean | string | undefined>>
  write(name: string, value: number | boolean | string): Promise<LibraryAnswer>
  stop(): Promise<LibraryAnswer>
  /** After the calls under way; the last one. */
  close(): Promise<LibraryAnswer>
}

/**
 * An instrument behind the kernel's usbtmc driver. Calls are made on the thread pool, which keeps no order: make the next one when the last has been answered.
 * They fail with the system's error: ENODEV when the instrument was unplugged.
 */
export interface UsbtmcDevice {
  /** One message. The kernel's shortest time-out is 100 ms. */
  write(options: { readonly message: Uint8Array; readonly timeoutMs: number }): Promise<void>
  /** One message; undefined when there was none within the time-out. Until then, nothing else can be done with the instrument. */
  read(options: { readonly maximumBytes: number; readonly timeoutMs: number }): Promise<Uint8Array | undefined>
  /** Device clear. */
  clear(): Promise<void>
  /** IEEE 488.2, 11.2; bit 4: a message is there. */
  statusByte(): Promise<number>
  close(): void
}
