import { InvalidValue } from '../../core/errors.ts'
import { FRAME_COMPRESSIONS } from '../../core/frame.ts'
import type { Detector, PlanSpec, Settle } from '../../core/plan.ts'
import { builder } from '../builder.ts'

const AxisRangeRef = builder.inputType('AxisRange', {
  description: 'What is moved: the position of a movable role, or any settable parameter.',
  fields: (t) => ({
    role: t.string({ required: true }),
    parameter: t.string(),
    start: t.float({ required: true }),
    stop: t.float({ required: true }),
    unit: t.string(),
    relative: t.boolean({ defaultValue: false }),
  }),
})
const DetectorInputRef = builder.inputType('DetectorInput', {
  description: 'What is recorded at each point: the main quantity of the device, or the parameters named.',
  fields: (t) => ({
    role: t.string({ required: true }),
    parameters: t.stringList(),
    exposureSeconds: t.float(),
    frames: t.int(),
    average: t.int(),
    rateHz: t.float({ description: 'Scans per second of a device that samples its inputs by its own clock (ANALOG_INPUT), in the plan record.' }),
  }),
})
const SettleInputRef = builder.inputType('SettleInput', { fields: (t) => ({ tolerance: t.float(), timeoutSeconds: t.float(), dwellSeconds: t.float() }) })
const AfterRunEnum = builder.enumType('AfterRun', { values: ['STAY', 'RETURN'] as const })

const CountPlanRef = builder.inputType('CountPlan', {
  fields: (t) => ({ detectors: t.field({ type: [DetectorInputRef], required: true }), num: t.int({ required: true }), delaySeconds: t.float() }),
})
const LinearScanPlanRef = builder.inputType('LinearScanPlan', {
  fields: (t) => ({
    axes: t.field({ type: [AxisRangeRef], required: true }),
    num: t.int({ required: true }),
    detectors: t.field({ type: [DetectorInputRef], required: true }),
    settle: t.field({ type: SettleInputRef }),
    after: t.field({ type: AfterRunEnum, defaultValue: 'STAY' }),
  }),
})
const FrameCompressionEnum = builder.enumType('FrameCompression', {
  description: 'Of the pixels of recorded frames, as Arrow has it: LZ4 costs little; ZSTD takes off more and needs more of the processor.',
  values: FRAME_COMPRESSIONS,
})
const RecordPlanRef = builder.inputType('RecordPlan', {
  description: 'Continuous recording of frames and/or parameters, for a time, a number, or until stopped.',
  fields: (t) => ({
    detectors: t.field({ type: [DetectorInputRef], required: true }),
    frames: t.field({ type: 'SafeInt' }),
    durationSeconds: t.float(),
    rateHz: t.float({
      description:
        'Of what is no frame and has no rate of its own. Devices that can all sample by their own clocks at this rate do, each into a dataset; else everything is read into rows together, and the rows that the slowest cannot keep up with count as dropped.',
    }),
    compression: t.field({ type: FrameCompressionEnum, defaultValue: 'NONE' }),
  }),
})

/** A test compares its fields with core/plans/plans.ts. */
export const PlanInputRef = builder.inputType('PlanInput', {
  isOneOf: true,
  fields: (t) => ({ count: t.field({ type: CountPlanRef }), linearScan: t.field({ type: LinearScanPlanRef }), record: t.field({ type: RecordPlanRef }) }),
})

export function planOf({ count, linearScan, record }: typeof PlanInputRef.$inferInput): PlanSpec {
  if (count != null) {
    const { detectors, num, delaySeconds } = count
    return { type: 'count', arguments: { detectors: detectors.map(detectorOf), num, ...(delaySeconds != null && { delaySeconds }) } }
  }
  if (linearScan != null) {
    const { axes, num, detectors, settle, after } = linearScan
    return {
      type: 'linearScan',
      arguments: {
        axes: axes.map(({ role, parameter, start, stop, unit, relative }) => ({
          role,
          start,
          stop,
          relative: relative ?? false,
          ...(parameter != null && { parameter }),
          ...(unit != null && { unit }),
        })),
        num,
        detectors: detectors.map(detectorOf),
        ...(settle != null && { settle: settleOf(settle) }),
        after: after ?? 'STAY',
      },
    }
  }
  if (record != null) {
    const { detectors, frames, durationSeconds, rateHz, compression } = record
    return {
      type: 'record',
      arguments: {
        detectors: detectors.map(detectorOf),
        ...(frames != null && { frames }),
        ...(durationSeconds != null && { durationSeconds }),
        ...(rateHz != null && { rateHz }),
        ...(compression != null && compression !== 'NONE' && { compression }),
      },
    }
  }
  throw new InvalidValue('give a plan', ['input', 'plan'])
}

function detectorOf({ role, parameters, exposureSeconds, frames, average, rateHz }: typeof DetectorInputRef.$inferInput): Detector {
  return {
    role,
    ...(parameters != null && { parameters }),
    ...(exposureSeconds != null && { exposureSeconds }),
    ...(frames != null && { frames }),
    ...(average != null && { average }),
    ...(rateHz != null && { rateHz }),
  }
}

function settleOf({ tolerance, timeoutSeconds, dwellSeconds }: typeof SettleInputRef.$inferInput): Settle {
  return { ...(tolerance != null && { tolerance }), ...(timeoutSeconds != null && { timeoutSeconds }), ...(dwellSeconds != null && { dwellSeconds }) }
}
