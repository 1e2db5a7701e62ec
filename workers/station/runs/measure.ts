import { DeadlineExceeded, HardwareFault } from '../../../core/errors.ts'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { ParameterValue, Reading } from '../../../core/reading.ts'
import type { RowCell } from '../../../core/row.ts'
import type { Clock } from '../../../core/time.ts'
import { convert } from '../../../core/unit.ts'
import { deadline, orAbort } from '../host/deadline.ts'
import type { HostedDevice } from '../host/hosted-device.ts'
import type { BoundDetector, BoundRun, Quantity } from './bound-plan.ts'
import { ofDevice } from './of-device.ts'

const READ_DEADLINE_MS = 10_000 // the slowest reading we know, a power meter that averages, takes about one second

const READ_ATTEMPTS = 3 // an instrument on a serial line swallows a question now and then (one was seen to miss 7 of 69); one that fails three times has failed

type Measurable = { readonly device: HostedDevice; readonly spec: ParameterSpec }

/** Reads everything at once, each device's parameters together, fresh from the instruments. What is BAD is asked for again; what stays BAD comes back so. */
export async function freshReadings(wanted: readonly Measurable[], signal: AbortSignal): Promise<(one: Measurable) => Reading | undefined> {
  const byDevice = new Map<HostedDevice, Set<string>>()
  for (const { device, spec } of wanted) byDevice.set(device, (byDevice.get(device) ?? new Set()).add(spec.name))
  const found = new Map<HostedDevice, ReadonlyMap<string, Reading>>()
  await Promise.all([...byDevice].map(async ([device, names]) => found.set(device, await readDevice(device, [...names], signal))))
  return ({ device, spec }) => found.get(device)?.get(spec.name)
}

async function readDevice(device: HostedDevice, names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Reading>> {
  const { name } = device.record
  using limit = deadline(
    signal,
    READ_DEADLINE_MS,
    () => new DeadlineExceeded(`${name} did not answer a reading within ${READ_DEADLINE_MS} ms`, READ_DEADLINE_MS, 'NONE'),
  )
  const readings = new Map<string, Reading>()
  let asked = names
  for (let attempt = 1; attempt <= READ_ATTEMPTS && asked.length > 0; attempt += 1) {
    for (const [parameter, reading] of await ofDevice(device, orAbort(device.readNow(asked, limit.signal), limit.signal))) readings.set(parameter, reading)
    asked = asked.filter((parameter) => readings.get(parameter)?.quality === 'BAD')
  }
  return readings
}

/** What the instrument said, or the reason why the run must end: a value is never made up. */
function presentValue(reading: Reading | undefined, { device, spec }: Measurable): ParameterValue {
  if (reading?.value !== undefined && reading.quality !== 'BAD' && reading.quality !== 'STALE') return reading.value
  const reason = reading?.reason ?? 'no reading'
  throw new HardwareFault(`${device.record.name}.${spec.name} could not be read: ${reason}`, 'NONE', { deviceId: device.record.id, parameter: spec.name })
}

export function numberOf(reading: Reading | undefined, one: Measurable): number {
  const value = presentValue(reading, one)
  if (typeof value === 'number') return value
  throw new HardwareFault(`${one.device.record.name}.${one.spec.name} is ${String(value)}, not a number`, 'NONE', {
    deviceId: one.device.record.id,
    parameter: one.spec.name,
  })
}

/** One row in the order of the run's columns. `commanded` holds the axes' last targets, in their units. */
export async function measureRow(
  run: BoundRun,
  sequence: number,
  commanded: readonly number[],
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly RowCell[]> {
  const time = clock.wallNs()
  const quantities = run.detectors.flatMap((detector) => detector.quantities)
  const readings = await freshReadings([...run.axes, ...quantities], signal)
  const positions = run.axes.flatMap((axis, index) => [convert(numberOf(readings(axis), axis), axis.spec.unit, axis.unit), commanded[index] ?? null])
  const values = await Promise.all(run.detectors.map((detector) => detectorCells(detector, readings, signal)))
  return [time, sequence, ...positions, ...values.flat()]
}

/** The first of the averaged readings is the one that was taken with everything else. */
async function detectorCells(
  { quantities, average }: BoundDetector,
  first: (one: Quantity) => Reading | undefined,
  signal: AbortSignal,
): Promise<readonly RowCell[]> {
  if (average === 1) return quantities.map((quantity) => cellOf(presentValue(first(quantity), quantity)))
  const sums = quantities.map((quantity) => numberOf(first(quantity), quantity))
  for (let taken = 1; taken < average; taken += 1) {
    const readings = await freshReadings(quantities, signal)
    for (const [index, quantity] of quantities.entries()) sums[index] = (sums[index] ?? 0) + numberOf(readings(quantity), quantity)
  }
  return sums.map((sum) => sum / average)
}

function cellOf(value: ParameterValue): RowCell {
  return typeof value === 'object' ? null : value
}
