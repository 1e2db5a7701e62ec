import { expect } from 'vitest'
import { resolveAddress } from '../../../drivers/address.ts'
import type { Driver } from '../../../drivers/driver.ts'
import { until } from '../../until.ts'
import { never } from '../bench.ts'
import type { Check } from './check.ts'
import { inTurn, openDevices, type SimulatedInstrument } from './instrument.ts'
import { within } from './within.ts'

const FOUND_WITHIN_MS = 20_000

/** The instrument answers the question who is there, with settings that a device of it can be opened with. */
export const discovery: readonly Check[] = [
  {
    name: 'is found at its address, by settings that open it',
    onHardware: 'LOOK',
    run: async (start) => {
      await using instrument = await start()
      const { driver, context, settings } = instrument
      if (driver.probe === undefined) return
      const address = String(settings[0]?.address)
      const before = instrument.accepted?.length
      const probe = driver.probe.bind(driver)
      // A probe has little patience, and this machine does other things: a person would look again, too.
      const found = await until(
        async () => {
          const seen = await inTurn(() => within('looking who is there', probe(address, context, never)))
          return seen.length > 0 && seen
        },
        { what: 'an instrument found', deadlineMs: FOUND_WITHIN_MS },
      )
      expect(instrument.accepted?.length, 'commands that the question made').toBe(before)
      for (const { identity, settings: registered } of found) {
        expect(identity.trim()).not.toBe('')
        expect(driver.locate(registered).address).toBe(address)
        await using _opened = await openDevices({ ...instrument, settings: [registered] }, 1)
      }
    },
  },
]

/** Who is asked for and is not there: no answer is taken for his, and no instrument is changed by the question. */
export async function expectNotFound(driver: Driver, other: SimulatedInstrument): Promise<void> {
  if (driver.probe === undefined) return
  const address = String(other.settings[0]?.address)
  const { kind } = await resolveAddress(address, other.context.workFolder)
  const before = other.accepted.length
  const probe = driver.probe.bind(driver)
  const found = await inTurn(() => within(`${driver.id} looking at a ${other.driver.id}`, probe(address, other.context, never))).catch((error: unknown) => {
    expect(error, `${driver.id} on a ${kind} address`).toMatchObject({ code: expect.stringMatching(/^(INVALID_VALUE|DEVICE_OFFLINE)$/) })
    return []
  })
  expect(found, `what ${driver.id} finds in a ${other.driver.id}`).toEqual([])
  expect(other.accepted.slice(before), `what a ${other.driver.id} was told by it`).toEqual([])
  await using _works = await openDevices(other, 1)
}
