import type { CommandCall } from '../../../core/command.ts'
import type { Roi } from '../../../core/device.ts'
import { InvalidValue } from '../../../core/errors.ts'
import { checkValue } from '../../../core/parameter.ts'
import { entry, need, notSupported, readings, type Step, type StepContext } from './step.ts'

/** Checks exposure, region and binning; `permitted` makes the step of the work. */
export function prepareCamera(
  call: Extract<CommandCall, { readonly kind: 'configureCamera' }>,
  { device, writer }: StepContext,
  permitted: (start: Step['start']) => Step,
): Step {
  const { handle } = device.live()
  const { exposureSeconds, roi, binning } = call
  const exposure = handle.exposure?.parameter
  if (exposureSeconds !== undefined) {
    const parameter = need(device, exposure, 'EXPOSURE_CONTROL', 'has no exposure to set')
    checkValue({ ...device.spec(parameter), access: 'READ_WRITE' }, exposureSeconds, 's')
  }
  if (handle.frames === undefined) {
    if (roi !== undefined || binning !== undefined || exposure === undefined || exposureSeconds === undefined)
      throw notSupported(device, 'FRAME_PRODUCER', 'is no camera')
    return permitted(async (signal) => [entry(device, exposure, await device.set(exposure, exposureSeconds, 's', writer, signal))])
  }
  const { sensor } = handle.frames
  if (binning !== undefined && (!Number.isSafeInteger(binning) || binning < 1))
    throw new InvalidValue(`binning: ${binning} is not a whole number of at least 1`, ['binning'])
  if (roi !== undefined) checkRoi(roi, sensor)
  const frames = handle.frames
  const changed = [
    exposureSeconds === undefined ? undefined : exposure,
    roi === undefined ? undefined : frames.roiParameter,
    binning === undefined ? undefined : frames.binningParameter,
  ].filter((name) => name !== undefined)
  return permitted(async (signal) => {
    const before = new Map(changed.map((name) => [name, device.reading(name)]))
    await frames.configure(
      { ...(roi && { roi }), ...(binning !== undefined && { binning }), ...(exposureSeconds !== undefined && { exposureSeconds }) },
      signal,
    )
    device.touch()
    if (exposure !== undefined && exposureSeconds !== undefined) device.table.asked(exposure, exposureSeconds)
    const told = [...new Set([...(exposure === undefined ? [] : [exposure]), ...changed])]
    const answer = told.length === 0 ? [] : await readings(device, told, signal)
    for (const { parameter, reading } of answer) if (before.has(parameter)) device.noteChange(parameter, before.get(parameter), reading, writer)
    return answer
  })
}

function checkRoi(roi: Roi, sensor: { readonly width: number; readonly height: number }): void {
  const whole = Object.values(roi).every((value) => Number.isSafeInteger(value) && value >= 0)
  if (!whole || roi.width < 1 || roi.height < 1 || roi.x + roi.width > sensor.width || roi.y + roi.height > sensor.height)
    throw new InvalidValue(`roi: ${roi.width}x${roi.height} at ${roi.x},${roi.y} does not lie within the sensor of ${sensor.width}x${sensor.height}`, ['roi'])
}
