import { describe, expect, test } from 'vitest'
import { addressText } from '../../../drivers/address.ts'
import { builtInDriver } from '../../../drivers/catalog/built-in.ts'
import { DRIVERS } from '../../../drivers/catalog.ts'
import { newportEsp300 } from '../../../drivers/newport-esp300/driver.ts'
import { simulation } from '../../../drivers/newport-esp300/simulator.ts'
import { SIMULATIONS } from '../../../drivers/simulations.ts'
import { CHECKS } from './checks.ts'
import { openHardware, settingsOf, variableOf } from './hardware.ts'
import { startSimulated } from './instrument.ts'

/**
 * The suite against real instruments, without what only a simulated one can be asked to do. A variable names the address:
 *   CONFORMANCE_NEWPORT_ESP300='serial:///dev/serial/by-id/…?axis=1' npx vitest run --project local test/drivers/conformance/hardware.test.ts
 * Nothing is set or moved unless CONFORMANCE_MOVE=yes: then every parameter is set and set back, and every axis goes through its whole travel.
 */
const MAY_MOVE = process.env['CONFORMANCE_MOVE'] === 'yes'
const TIMEOUT_MS = 300_000 // real stages take their time

/** Descriptions too, where they have a simulation. */
const EVERY = new Map([...DRIVERS.map(({ id }) => id), ...SIMULATIONS.map(({ driverId }) => driverId)].map((id) => [id, builtInDriver(id)]))

describe.each([...EVERY])('%s', { timeout: TIMEOUT_MS }, (id, driver) => {
  if (driver === undefined) throw new Error(`no driver is called ${id}`)
  const variable = variableOf(id)
  const text = process.env[variable]
  if (text === undefined || text === '') {
    test.skip(`a real one: not looked at, ${variable} names no address`, () => undefined)
    return
  }
  const settings = settingsOf(text, driver)
  for (const check of CHECKS) {
    if (check.onHardware === 'MOVE' && !MAY_MOVE)
      test.skip(`a real one ${check.name}: not tried, it would set and move; CONFORMANCE_MOVE is not yes`, () => undefined)
    else test(`a real one ${check.name}`, () => check.run(() => openHardware(driver, settings)))
  }
})

describe('what is said of real instruments', () => {
  test('is an address with settings, or JSON', () => {
    expect(variableOf('newport-1830c')).toBe('CONFORMANCE_NEWPORT_1830C')
    expect(settingsOf('serial:///dev/x?axis=2&flowControl=none', newportEsp300)).toEqual([{ address: 'serial:///dev/x', axis: 2, flowControl: 'none' }])
    expect(settingsOf('tcp://saw:502', newportEsp300)).toEqual([{ address: 'tcp://saw:502' }])
    expect(settingsOf('[{"address":"a","axis":1},{"address":"a","axis":2}]', newportEsp300)).toHaveLength(2)
  })

  test('leads to the same checks, over nothing but an address', { timeout: TIMEOUT_MS }, async () => {
    await using stages = await startSimulated(simulation)
    const address = addressText(stages.simulation.entry)
    const before = stages.accepted.length
    for (const check of CHECKS.filter(({ onHardware }) => onHardware === 'LOOK'))
      await check.run(() => openHardware(newportEsp300, settingsOf(`${address}?axis=1&flowControl=none`, newportEsp300)))
    expect(stages.accepted.slice(before), 'commands that were only to look').toEqual([])
  })
})
