import { acquisitionProblem } from '../../../core/acquisition.ts'
import type { ColumnType, DatasetColumn } from '../../../core/dataset.ts'
import type { Problem } from '../../../core/errors.ts'
import { asProblem, DeviceOffline, InvalidValue, NotFound, NotSupported, PlanRejected } from '../../../core/errors.ts'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { Axis, BoundPlan, Detector, PlanOutline } from '../../../core/plan.ts'
import { checkPlan, outlineOf } from '../../../core/plans/plans.ts'
import type { WavelengthFacet } from '../../../drivers/driver.ts'
import type { DeviceHost } from '../host/host.ts'
import type { HostedDevice } from '../host/hosted-device.ts'

/** One column that is read from a device. */
export type Quantity = { readonly device: HostedDevice; readonly spec: ParameterSpec; readonly column: DatasetColumn }

export type BoundAxis = {
  readonly device: HostedDevice
  /** What is measured: the position, the wavelength, or the parameter that is set. */
  readonly spec: ParameterSpec
  /** What is set, where that is not a move. */
  readonly sets: ParameterSpec
  readonly moves: boolean
  /** Of the plan's values and of both columns. */
  readonly unit: string | undefined
  readonly measured: DatasetColumn
  readonly commanded: DatasetColumn
}

export type BoundDetector = { readonly device: HostedDevice; readonly average: number; readonly quantities: readonly Quantity[] }
/** What the device samples by its own clock, and the columns of the table that it fills. */
export type BoundAcquisition = {
  readonly device: HostedDevice
  readonly parameters: readonly string[]
  readonly rateHz: number
  readonly columns: readonly DatasetColumn[]
}
type BoundCamera = { readonly device: HostedDevice; readonly exposureSeconds: number | undefined }

/** A plan with this station's devices in its roles, and the table that it will fill. */
export type BoundRun = {
  readonly plan: BoundPlan
  readonly outline: PlanOutline
  readonly devices: readonly HostedDevice[]
  readonly axes: readonly BoundAxis[]
  readonly detectors: readonly BoundDetector[]
  readonly cameras: readonly BoundCamera[]
  readonly acquisitions: readonly BoundAcquisition[]
  /** time, seq_num, then each axis' measured and commanded value, then each detector's parameters. */
  readonly columns: readonly DatasetColumn[]
}

const TIME: DatasetColumn = { name: 'time', type: 'timestamp[ns]' }
const SEQUENCE: DatasetColumn = { name: 'seq_num', type: 'int64' } // Bluesky's name; its first row is 1

/** Throws the one problem, or PlanRejected with all of them. Speaks to no hardware. */
export function bindPlan(plan: BoundPlan, host: Pick<DeviceHost, 'devices'>): BoundRun {
  checkPlan(plan)
  const outline = outlineOf(plan)
  const devices = new Map<string, HostedDevice>()
  const names = new ColumnNames([TIME.name, SEQUENCE.name])
  const problems: Problem[] = []

  const deviceOf = (role: string): HostedDevice => {
    const binding = plan.bindings.find((candidate) => candidate.role === role)
    const device = binding && host.devices.get(binding.deviceId)
    if (device === undefined) throw new NotFound(`device for the role ${role} at this station`)
    const { id, name } = device.record
    if (device.handle === undefined) throw new DeviceOffline(`${name} is not connected`, { deviceId: id })
    devices.set(id, device)
    return device
  }
  const eachOf = <Given, Bound>(given: readonly Given[], bind: (one: Given) => Bound): Bound[] =>
    given.flatMap((one) => {
      try {
        return [bind(one)]
      } catch (error) {
        problems.push(asProblem(error, 'NONE'))
        return []
      }
    })

  const axes = eachOf(outline.axes, (axis) => bindAxis(axis, deviceOf(axis.role), names))
  const others = outline.detectors.filter(({ rateHz }) => rateHz === undefined)
  const streams = plan.type === 'record' ? others.filter((detector) => isCamera(detector, deviceOf(detector.role))) : []
  const cameras = eachOf(streams, (detector) => ({ device: deviceOf(detector.role), exposureSeconds: detector.exposureSeconds }))
  const rated = outline.detectors.filter(({ rateHz }) => rateHz !== undefined)
  const unrated = others.filter((detector) => !streams.includes(detector))
  const planned = plan.type === 'record' ? clocked(unrated, rated, plan.arguments.rateHz, deviceOf) : undefined
  const acquisitions = eachOf([...rated, ...(planned ?? [])], (detector) => bindAcquisition(detector, deviceOf(detector.role)))
  const scalars = planned === undefined ? unrated : []
  const detectors = eachOf(scalars, (detector) => bindDetector(detector, deviceOf(detector.role), names))
  if (problems.length === 1 && problems[0] !== undefined) throw problems[0]
  if (problems.length > 1) throw new PlanRejected(problems.map(({ message }) => message))

  const read = [
    ...axes.flatMap(({ measured, commanded }) => [measured, commanded]),
    ...detectors.flatMap(({ quantities }) => quantities.map(({ column }) => column)),
  ]
  return { plan, outline, devices: [...devices.values()], axes, detectors, cameras, acquisitions, columns: [TIME, SEQUENCE, ...read] }
}

/** The axes' columns, slowest first; time where nothing is moved. */
export function axisColumns({ axes }: BoundRun): readonly string[] {
  return axes.length === 0 ? [TIME.name] : axes.map(({ measured }) => measured.name)
}

export function signalColumns({ detectors }: BoundRun): readonly string[] {
  return detectors.flatMap(({ quantities }) => quantities.map(({ column }) => column.name))
}

function bindAxis({ role, parameter, unit }: Axis, device: HostedDevice, names: ColumnNames): BoundAxis {
  const motion = device.handle?.motion
  const moves = motion !== undefined && (parameter === undefined || parameter === motion.positionParameter)
  const tuned = tunedBy(device, parameter)
  const name = moves ? motion.positionParameter : (tuned?.parameter ?? parameter)
  if (name === undefined) throw new NotSupported(`${device.record.name} (axis ${role}) cannot be moved; name one of its settable parameters`, 'MOVABLE')
  const spec = device.spec(name)
  if (spec.kind !== 'FLOAT' && spec.kind !== 'INTEGER') throw new InvalidValue(`axis ${role}: ${name} is no number`, ['plan', 'axes', role])
  const sets = device.spec(tuned?.setpointParameter ?? name)
  const own = moves ? motion.unit : spec.unit
  const shown = unit ?? own
  const column = names.give(device, name, moves)
  const about = { deviceId: device.record.id, parameter: name, ...(shown !== undefined && { unit: shown }) }
  return {
    device,
    spec: own === undefined ? spec : { ...spec, unit: own },
    sets,
    moves,
    unit: shown,
    measured: { name: column, type: 'float64', ...about },
    commanded: { name: `${column}_setpoint`, type: 'float64', ...about },
  }
}

/** A wavelength that is set is measured where the instrument can tell: what a row holds is where the light is, not where it was asked to be. */
function tunedBy({ handle }: HostedDevice, parameter: string | undefined): WavelengthFacet | undefined {
  const wavelength = handle?.wavelength
  if (wavelength === undefined || handle?.motion !== undefined) return undefined
  return parameter === undefined || parameter === wavelength.parameter || parameter === wavelength.setpointParameter ? wavelength : undefined
}

function bindDetector({ role, parameters, frames, exposureSeconds, average = 1 }: Detector, device: HostedDevice, names: ColumnNames): BoundDetector {
  const { name } = device.record
  const main = device.handle?.readout?.parameter
  const wanted = parameters ?? (main === undefined ? [] : [main])
  if (wanted.length === 0) {
    const why =
      device.handle?.frames === undefined
        ? 'has no main quantity; name the parameters to read'
        : 'gives frames, which only the plan record takes; name a parameter to read'
    throw new NotSupported(`${name} (detector ${role}) ${why}`, 'READABLE')
  }
  if (frames !== undefined || exposureSeconds !== undefined)
    throw new NotSupported(`${name} (detector ${role}): frames and exposureSeconds are for cameras in the plan record`, 'FRAME_PRODUCER')
  const quantities = wanted
    .filter((parameter) => !names.has(device, parameter)) // an axis of the same scan has it already
    .map((parameter): Quantity => {
      const spec = device.spec(parameter)
      const column = {
        name: names.give(device, parameter, parameter === main),
        type: columnType(spec, average, name),
        ...(spec.unit !== undefined && { unit: spec.unit }),
        deviceId: device.record.id,
        parameter,
      }
      return { device, spec, column }
    })
  return { device, average, quantities }
}

/**
 * The detectors with the plan's own rate, where the device of each can keep it by its clock; undefined: at least one cannot, and rows of all of them are worth
 * more than a table for each. A device does one such thing at a time.
 */
function clocked(
  detectors: readonly Detector[],
  beside: readonly Detector[],
  rateHz: number | undefined,
  deviceOf: (role: string) => HostedDevice,
): readonly Detector[] | undefined {
  if (rateHz === undefined || detectors.length === 0) return undefined
  const roles = [...detectors, ...beside].map(({ role }) => role)
  if (new Set(roles.map(deviceOf)).size < roles.length) return undefined
  return detectors.every((detector) => keeps(detector, deviceOf(detector.role), rateHz)) ? detectors.map((detector) => ({ ...detector, rateHz })) : undefined
}

function keeps(detector: Detector, device: HostedDevice, rateHz: number): boolean {
  const { average = 1, frames, exposureSeconds } = detector
  const acquisition = device.handle?.acquisition
  if (acquisition === undefined || average !== 1 || frames !== undefined || exposureSeconds !== undefined) return false
  return acquisitionProblem(acquisition, { parameters: inputsOf(detector, device), rateHz }, device.record.name) === undefined
}

function inputsOf({ parameters }: Detector, { handle }: HostedDevice): readonly string[] {
  return parameters ?? (handle?.readout === undefined ? [] : [handle.readout.parameter])
}

function bindAcquisition(detector: Detector, device: HostedDevice): BoundAcquisition {
  const { role, rateHz = 0, frames, exposureSeconds } = detector
  const { name, id: deviceId } = device.record
  const acquisition = device.handle?.acquisition
  if (acquisition === undefined) throw new NotSupported(`${name} (detector ${role}) does not sample by a clock of its own; leave out its rate`, 'ANALOG_INPUT')
  if (frames !== undefined || exposureSeconds !== undefined)
    throw new NotSupported(`${name} (detector ${role}): frames and exposureSeconds are for cameras`, 'FRAME_PRODUCER')
  const wanted = inputsOf(detector, device)
  const columns = wanted.map((parameter): DatasetColumn => {
    const { unit } = device.spec(parameter)
    return { name: `${name}_${parameter}`, type: 'float64', ...(unit !== undefined && { unit }), deviceId, parameter }
  })
  return { device, parameters: wanted, rateHz, columns }
}

function columnType({ name, kind, access }: ParameterSpec, average: number, device: string): ColumnType {
  if (access === 'WRITE_ONLY') throw new NotSupported(`${device}: ${name} cannot be read`)
  if (average > 1 && kind !== 'FLOAT' && kind !== 'INTEGER') throw new NotSupported(`${device}: ${name} is no number and has no average`)
  switch (kind) {
    case 'FLOAT':
      return 'float64'
    case 'INTEGER':
      return average > 1 ? 'float64' : 'int64'
    case 'BOOLEAN':
      return 'bool'
    case 'TEXT':
    case 'ENUM':
      return 'utf8'
    case 'LIST':
      throw new NotSupported(`${device}: ${name} is a list, which a table of scalars does not hold`)
  }
}

function isCamera({ parameters }: Detector, device: HostedDevice): boolean {
  return parameters === undefined && device.handle?.frames !== undefined
}

/** `<device>` for its main quantity, `<device>_<parameter>` for others; each name once. */
class ColumnNames {
  readonly #taken: Set<string>
  readonly #given = new Set<string>()

  constructor(taken: readonly string[]) {
    this.#taken = new Set(taken)
  }

  has({ record }: HostedDevice, parameter: string): boolean {
    return this.#given.has(`${record.id} ${parameter}`)
  }

  give({ record }: HostedDevice, parameter: string, main: boolean): string {
    let name = main && !this.#taken.has(record.name) ? record.name : `${record.name}_${parameter}`
    while (this.#taken.has(name) || this.#taken.has(`${name}_setpoint`)) name += '_'
    this.#taken.add(name).add(`${name}_setpoint`)
    this.#given.add(`${record.id} ${parameter}`)
    return name
  }
}
