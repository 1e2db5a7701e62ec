import type { FrameLayout, FrameRecording } from '../core/frame.ts'

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
  /** Frames published since the ring was made. */
  readonly published: bigint
}

/** One frame of a ring, copied out of it. */
export type RingFrame = {
  readonly pixels: Uint16Array
  /** Its place among the frames that were published: 0, 1, 2 ... without gaps. */
  readonly index: bigint
  /** The source's own count; a gap is a frame that the source lost. */
  readonly sequence: bigint
  /** Nanoseconds since 1970, host clock at the end of the exposure. */
  readonly timeNs: bigint
  readonly exposureNs: bigint
  /** The source's own clock at the end of the exposure, from a start of its own; absent without one. */
  readonly hardwareTimeNs?: bigint
}

export type CameraStatistics = { readonly produced: number; readonly lost: number; readonly frameRate: number }

/** Taken from the newest whole frame of the ring; binning is the mean of bin x bin pixels, done in native code. */
export type FrameTap = {
  readonly pixels: Uint16Array
  readonly width: number
  readonly height: number
  readonly sequence: bigint
  /** Nanoseconds since 1970, host clock at the end-of-frame callback. */
  readonly timeNs: bigint
  readonly exposureNs: bigint
  readonly minimum: number
  readonly maximum: number
  readonly mean: number
}

export type RecordingOptions = FrameLayout & {
  /** Absolute path of the Arrow IPC stream to create (must not exist). Its index is made beside it, with `.index` behind the name. */
  readonly path: string
  /** Stop by itself after this many frames; absent: until stop(). */
  readonly frames?: number
  /** Refuse to go on when less than this is free on the disk: the recording ends whole, with reason 'disk-full'. */
  readonly keepFreeBytes: number
}

/**
 * A camera that PVCAM knows. One instance per opened camera; several at once are allowed. What reaches the library is done beside JavaScript's thread, one
 * call after the other in the order in which they were asked for: a stop() asked for during a start() stops what that start began.
 */
export interface PvcamCamera extends AsyncDisposable {
  readonly name: string
  readonly sensorWidth: number
  readonly sensorHeight: number
  readonly bitDepth: number
  readonly serialNumber: string
  readonly chipName: string
  readonly firmwareVersion: string
  /** Never while streaming: it breaks the acquisition (PVCAM). Throws HardwareFault with the PVCAM code. Temperatures in degrees Celsius. */
  temperature(): Promise<number>
  temperatureSetpoint(): Promise<number>
  setTemperatureSetpoint(celsius: number): Promise<void>
  /**
   * Sets region and exposure up and starts continuous acquisition into a new ring: register EOF callback, setup_cont, start_cont (CIRC_NO_OVERWRITE);
   * per callback: drain with get_oldest_frame, copy to the slot, then unlock.
   * With `frames` it stops by itself after that many.
   */
  start(options: {
    readonly roi: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
    readonly binning: number
    readonly exposureSeconds: number
    readonly ringPath: string
    readonly ringSlots: number
    readonly frames?: number
  }): Promise<FrameRing>
  stop(): Promise<void>
  readonly streaming: boolean
  statistics(): CameraStatistics
  /** undefined until a frame newer than `after` has been published. */
  tap(bin: 1 | 2 | 4, after?: bigint): FrameTap | undefined
  /** Records from the running ring, from the next frame on. */
  record(options: RecordingOptions): FrameRecording
}

export interface Pvcam extends AsyncDisposable {
  readonly libraryVersion: string
  /** Names as enumeration gives them; always take the name from here. */
  cameras(): Promise<readonly string[]>
  open(name: string): Promise<PvcamCamera>
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
