import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import type { Fault } from '../../../drivers/simulation/simulation.ts'
import { SIMULATIONS } from '../../../drivers/simulations.ts'
import { LineReader } from '../../../drivers/transport/line-reader.ts'
import { until } from '../../until.ts'
import { never } from '../bench.ts'
import { goodAgain } from '../conformance/faults.ts'
import { openDevices, type SimulatedInstrument, startSimulated } from '../conformance/instrument.ts'
import { expectTrue, isReadable, known, read, usual } from '../conformance/values.ts'
import { fuzzOptions } from './options.ts'
import { WITHOUT_REPLIES } from './table.ts'

const TIMEOUT_MS = 120_000
const STORIES = 10 // of each instrument; they run beside each other, and most of their time is waiting
const AGAIN_WITHIN_MS = 60_000
const ASKED_ON_LINES = 3 // parameters; a line is slow, and each of its readings takes a fault. A library is not asked for most, and answers at once

test('lines are the same however the bytes come', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '1', '\r', '\n', ' ', '\u00ff'), maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(60), { maxLength: 10 }), async (all, cuts) => {
      const whole = new LineReader('\r\n')
      whole.take(Buffer.from(all, 'latin1'))
      const parts = new LineReader('\r\n')
      const places = [0, ...[...cuts].sort((one, other) => one - other), all.length]
      for (const [index, to] of places.slice(1).entries()) parts.take(Buffer.from(all.slice(places[index], to), 'latin1'))
      for (;;) {
        const line = await whole.next(0, never)
        expect(await parts.next(0, never)).toBe(line)
        if (line === undefined) return
      }
    }),
    fuzzOptions(),
  )
})

/** A reading, and what happens to its first replies. */
type Step = { readonly parameter: number; readonly faults: readonly Fault[] }

const FAULT: fc.Arbitrary<Fault> = fc.oneof(
  fc.constantFrom<Fault>({ kind: 'garbage' }, { kind: 'cut' }, { kind: 'foreign' }, { kind: 'silent' }),
  fc.integer({ min: 1, max: 60 }).map((byMs): Fault => ({ kind: 'late', byMs })),
)
const STORY: fc.Arbitrary<readonly Step[]> = fc.array(fc.record({ parameter: fc.nat(50), faults: fc.array(FAULT, { maxLength: 2 }) }), {
  minLength: 2,
  maxLength: 4,
})

/** Beside each other instead of one after the other, so without shrinking: the stories are short, and a failure prints the whole one with its seed. */
describe.concurrent.each(SIMULATIONS.map((simulation) => [simulation.driverId, simulation] as const))('%s', { timeout: TIMEOUT_MS }, (_id, simulation) => {
  const { seed, numRuns } = fuzzOptions(STORIES)
  test.each(fc.sample(STORY, { seed, numRuns }).map((story, index) => [index, story] as const))(
    'in whatever order replies go wrong, what is read is true (story %i)',
    async (index, story) => {
      try {
        await tell(simulation, story)
      } catch (error) {
        throw new Error(`story ${index} of seed ${seed}: ${JSON.stringify(story)}`, { cause: error })
      }
    },
  )
})

/** A driver may give an instrument up that went wrong so often in a row. */
const GIVEN_UP_AFTER = 3

async function tell(simulation: (typeof SIMULATIONS)[number], story: readonly Step[]): Promise<void> {
  await using instrument = await startSimulated(simulation)
  await using opened = await openDevices(instrument, 1)
  const { device, port } = opened
  const specs = device.parameters.filter(isReadable)
  let suffered = 0
  for (const { parameter, faults } of story) {
    const spec = specs[parameter % specs.length]
    if (spec === undefined) return
    suffered += faults.length
    try {
      await suffer(instrument, device, spec, faults)
    } catch (error) {
      if (port.lost.aborted && suffered >= GIVEN_UP_AFTER) return
      throw error
    }
  }
  expect(port.lost.aborted).toBe(false)
}

async function suffer({ simulation, driver }: SimulatedInstrument, device: DeviceHandle, spec: ParameterSpec, faults: readonly Fault[]): Promise<void> {
  const readable = device.parameters.filter(isReadable).map(({ name }) => name)
  const some = WITHOUT_REPLIES.includes(driver.id) ? readable : readable.slice(0, ASKED_ON_LINES)
  const before = await usual(device, spec.name)
  simulation.inject(...faults)
  const during = await read(device, spec.name)
  // What this reading did not ask for spoils the next ones, until nothing is left and the line is in step.
  await until(async () => (await device.read(some, never)) && simulation.faultsLeft === 0, { deadlineMs: AGAIN_WITHIN_MS, what: 'the end of the faults' })
  const after = before.some((each) => known(each) !== undefined) ? await goodAgain(device, spec.name) : await read(device, spec.name)
  expectTrue(spec, during, [...before, after])
}
