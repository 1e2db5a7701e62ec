import type { AcquisitionState } from './device.ts'
import { InvalidValue, LimitViolation, type Problem } from './errors.ts'
import type { FrameLayout } from './frame.ts'

/** One input of a device that samples by its own clock, as it is set now: what makes a value of a count, and back. */
export type SampledInput = {
  /** The parameter that reads it one value at a time. */
  readonly parameter: string
  /** UCUM. */
  readonly unit: string
  /** Of its range: value = minimum + count / maximumCount (maximum - minimum). A value at either end may stand for anything beyond. */
  readonly minimum: number
  readonly maximum: number
  readonly maximumCount: number
  /** Against what it is measured, by the device's own word. */
  readonly reference: string
}

/** What is asked of such a device. */
export type AcquisitionRequest = {
  /** In the order of a scan. */
  readonly parameters: readonly string[]
  /** Scans per second; each takes one value of every input. */
  readonly rateHz: number
  /** Absent: until stopped. */
  readonly scans?: number
}

/** What the device will make of it, after its own rounding. */
export type PreparedAcquisition = {
  readonly inputs: readonly SampledInput[]
  readonly scanIntervalNs: number
  /** From one input of a scan to the next. */
  readonly convertIntervalNs: number
  readonly scans?: number
  /** What the first scan waits for, by the device's own word, e.g. "NOW". */
  readonly start: string
}

/** The Arrow IPC stream of such a recording, prepared once by storage/scan-heads.ts: the writer of frames, with the columns of a batch where a frame's pixels are. */
export type ScanLayout = FrameLayout & {
  readonly rowsPerBatch: number
  /** In the head: i64, how many rows the batch has. */
  readonly rowCountOffsets: readonly number[]
  /** The columns of a batch: 8 bytes a row each. Their offsets count from `columnsOffset`. */
  readonly columnsOffset: number
  readonly columnsBytes: number
  readonly timeColumnOffset: number
  readonly numberColumnOffset: number
  readonly valueColumnOffsets: readonly number[]
}

export type ScanRecordingProgress = {
  /** Scans in the file. */
  readonly written: number
  readonly bytes: number
  readonly state: 'running' | 'finished' | 'failed'
  /** Why the file ends, when not because it was asked to. */
  readonly reason?: string
  /** Why the device ended by itself: its buffer overflowed, it was pulled out. What came before is in the file. */
  readonly failure?: Problem
}

/** A recording under way; JavaScript only asks how far it is. */
export interface ScanRecording {
  progress(): ScanRecordingProgress
  /** Stops the device; everything that it had taken is in the file. */
  stop(): Promise<ScanRecordingProgress>
  /** Settles when the recording ends, by itself or by stop(). */
  readonly ended: Promise<ScanRecordingProgress>
}

/** What can be refused before the device is asked. `who`: the device, as people call it. */
export function checkAcquisition(limits: AcquisitionState, request: Pick<AcquisitionRequest, 'parameters' | 'rateHz'>, who: string): void {
  const problem = acquisitionProblem(limits, request, who)
  if (problem !== undefined) throw problem
}

/** The same, for whoever has another way; undefined: the device can. */
export function acquisitionProblem(
  { inputs, minimumRateHz, maximumRateHz }: AcquisitionState,
  { parameters, rateHz }: Pick<AcquisitionRequest, 'parameters' | 'rateHz'>,
  who: string,
): Problem | undefined {
  const unknown = parameters.find((name) => !inputs.includes(name))
  if (unknown !== undefined) return new InvalidValue(`${who}: ${unknown} is not sampled; choose among ${inputs.join(', ')}`, ['parameters'])
  if (parameters.length === 0) return new InvalidValue(`${who}: name the inputs to sample: ${inputs.join(', ')}`, ['parameters'])
  const twice = parameters.find((name, at) => parameters.indexOf(name) !== at)
  if (twice !== undefined) return new InvalidValue(`${who}: ${twice} is there twice`, ['parameters'])
  const fastestHz = maximumRateHz / parameters.length
  if (rateHz >= minimumRateHz && rateHz <= fastestHz) return undefined
  return new LimitViolation(
    `${who}: the rate of ${parameters.length === 1 ? 'one input' : `${parameters.length} inputs together`}`,
    rateHz,
    minimumRateHz,
    fastestHz,
    'Hz',
  )
}
