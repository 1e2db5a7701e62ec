import { checkAcquisition } from '../../core/acquisition.ts'
import type { DeviceState } from '../../core/device.ts'
import { DeviceOffline, EmergencyStopped, InvalidValue, LimitViolation, NotSupported, Problem, StorageFull } from '../../core/errors.ts'
import { checkValue } from '../../core/parameter.ts'
import type { Axis, Detector, PlanOutline, PlanSpec } from '../../core/plan.ts'
import { convert } from '../../core/unit.ts'
import type { Device } from '../loaders.ts'
import type { StationMirror } from '../stations/mirror.ts'

/**
 * What can be refused before a run waits in a queue: it must not fail an hour later over what was plain now. The station checks again when it starts,
 * because the lab may have changed by then. Throws Problems.
 */
export function checkRun({ axes, detectors }: PlanOutline, plan: PlanSpec['type'], bound: ReadonlyMap<string, Device>, station: StationMirror): void {
  if (!station.online) throw station.away()
  if (station.emergencyStop.active)
    throw new EmergencyStopped(`the emergency stop of station ${station.name} is active; release it first`, { stationId: station.stationId })
  for (const axis of axes) onDevice(axis.role, bound, station, (state) => checkAxis(axis, state, station))
  for (const detector of detectors) onDevice(detector.role, bound, station, (state) => checkDetector(detector, plan, state))
}

function onDevice(role: string, bound: ReadonlyMap<string, Device>, station: StationMirror, check: (state: DeviceState) => void): void {
  const device = bound.get(role)
  if (device === undefined) return
  const facts = { deviceId: device.id, stationId: station.stationId }
  const state = station.devices.get(device.id)
  if (state?.connection !== 'CONNECTED')
    throw new DeviceOffline(
      `${device.name} is ${(state?.connection ?? 'not known to its station').toLowerCase()}${state?.connectionReason === undefined ? '' : `: ${state.connectionReason}`}`,
      facts,
    )
  try {
    check(state)
  } catch (error) {
    throw error instanceof Problem ? error.with(facts) : error
  }
}

function checkAxis(axis: Axis, state: DeviceState, station: StationMirror): void {
  const { motion, wavelength } = state
  const parameter = axis.parameter ?? (motion === undefined ? wavelength?.setpointParameter : undefined)
  if (parameter !== undefined) return checkParameterAxis(axis, parameter, state, station)
  if (motion === undefined) throw new NotSupported(`${state.name} cannot be moved; name one of its parameters to scan that`, 'MOVABLE')
  const origin = axis.relative ? numberAt(station, state, motion.positionParameter) : 0
  for (const end of [axis.start, axis.stop]) {
    const position = origin + convert(end, axis.unit, motion.unit)
    const { minimum, maximum } = motion
    if ((minimum !== undefined && position < minimum) || (maximum !== undefined && position > maximum))
      throw new LimitViolation(motion.positionParameter, position, minimum, maximum, motion.unit)
  }
}

function checkParameterAxis(axis: Axis, name: string, state: DeviceState, station: StationMirror): void {
  const sets = name === state.wavelength?.parameter ? state.wavelength.setpointParameter : name // as the station binds it
  const spec = state.parameters.find((parameter) => parameter.spec.name === sets)?.spec
  if (spec === undefined) throw new InvalidValue(`${state.name} has no parameter ${name}`, ['plan', 'axes', axis.role])
  if (spec.kind !== 'FLOAT' && spec.kind !== 'INTEGER') throw new NotSupported(`${state.name}.${name} is not a number, it cannot be scanned`)
  const origin = axis.relative ? numberAt(station, state, name) : 0
  for (const end of [axis.start, axis.stop]) checkValue(spec, origin + convert(end, axis.unit, spec.unit))
}

/** Where a relative range begins; unknown until the instrument was read. */
function numberAt(station: StationMirror, state: DeviceState, name: string): number {
  const value = station.reading(state.id, name, 'reading')?.value
  return typeof value === 'number' ? value : 0
}

function checkDetector(detector: Detector, plan: PlanSpec['type'], state: DeviceState): void {
  const { role, parameters, frames, exposureSeconds, rateHz } = detector
  if (rateHz !== undefined) return checkSampled(detector, rateHz, state)
  const streams = plan === 'record' && parameters === undefined && state.camera !== undefined
  if ((frames !== undefined || exposureSeconds !== undefined) && !streams)
    throw new NotSupported(`detector ${role}: frames and exposureSeconds are for cameras in the plan record`, 'FRAME_PRODUCER')
  for (const name of parameters ?? [])
    if (!state.parameters.some(({ spec }) => spec.name === name)) throw new InvalidValue(`${state.name} has no parameter ${name}`, ['plan', 'detectors', role])
  if (parameters !== undefined || state.readoutParameter !== undefined) return
  if (state.camera === undefined) throw new NotSupported(`${state.name} has no main quantity to record; name its parameters`, 'READABLE')
  if (plan !== 'record') throw new NotSupported(`${state.name} is a camera: its frames are recorded by the plan record`, 'READABLE')
}

/** As the station checks it, with the device's own word, when the run starts. */
function checkSampled({ role, parameters, frames, exposureSeconds }: Detector, rateHz: number, { name, acquisition, readoutParameter }: DeviceState): void {
  if (acquisition === undefined) throw new NotSupported(`${name} does not sample by a clock of its own; leave out the rate of detector ${role}`, 'ANALOG_INPUT')
  if (frames !== undefined || exposureSeconds !== undefined)
    throw new NotSupported(`detector ${role}: frames and exposureSeconds are for cameras`, 'FRAME_PRODUCER')
  const inputs = parameters ?? (readoutParameter === undefined ? [] : [readoutParameter])
  checkAcquisition(acquisition, { parameters: inputs, rateHz }, `${name} (detector ${role})`)
}

const BYTES_PER_CELL = 8 // of a table of scans: time, number and each value
const BYTES_PER_PIXEL = 2 // uint16
const KEEP_FREE_BYTES = 256 * 1024 * 1024 // for the database, the journal and whatever else lives on that disk

/** Before frames are recorded: is there room for them? A scan's table is too small to ask for. */
export function checkDisk(plan: PlanSpec, bound: ReadonlyMap<string, Device>, station: StationMirror, freeBytes: number): void {
  if (plan.type !== 'record') return
  const { detectors, frames, durationSeconds } = plan.arguments
  let neededBytes = KEEP_FREE_BYTES
  for (const { role, parameters, rateHz } of detectors) {
    if (rateHz !== undefined) neededBytes += (frames ?? (durationSeconds ?? 0) * rateHz) * ((parameters?.length ?? 1) + 2) * BYTES_PER_CELL
    const camera = station.devices.get(bound.get(role)?.id ?? '')?.camera
    if (camera === undefined || rateHz !== undefined) continue
    const count = frames ?? (durationSeconds ?? 0) * (camera.frameRate ?? 0)
    neededBytes += count * (camera.roi.width / camera.binning.x) * (camera.roi.height / camera.binning.y) * BYTES_PER_PIXEL
  }
  if (neededBytes > freeBytes) throw new StorageFull(Math.ceil(neededBytes), freeBytes)
}
