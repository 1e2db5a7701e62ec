import { expect } from 'vitest'
import type { ParameterSpec, SettingSpec } from '../../../core/parameter.ts'
import { isUnit } from '../../../core/unit.ts'
import { capabilitiesOf, type DeviceHandle } from '../../../drivers/driver.ts'
import type { Check } from './check.ts'
import { openDevices } from './instrument.ts'
import { expectHonest, isReadable, readAll } from './values.ts'

const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/
const MINIMUM_POLL_MS = 10 // faster is no poll but a stream

/** What an instrument says of itself. */
export const description: readonly Check[] = [
  {
    name: 'identifies itself, and its facets are what the driver promises',
    onHardware: 'LOOK',
    run: async (start) => {
      await using instrument = await start()
      await using opened = await openDevices(instrument)
      const { driver } = instrument
      for (const device of opened.devices) {
        expect(device.identity.trim()).not.toBe('')
        expect([...driver.capabilities], `what ${device.identity} can do, and the driver promises`).toEqual(expect.arrayContaining([...capabilitiesOf(device)]))
        expectFacetsNameTheirParameters(device)
      }
      const all = new Set(opened.devices.flatMap((device) => capabilitiesOf(device)))
      expect([...driver.capabilities].sort(), 'what its devices can do').toEqual([...all].sort())
      expect(new Set(opened.devices.map(({ identity }) => identity)).size, 'identities that can be told apart').toBe(opened.devices.length)
    },
  },
  {
    name: 'describes its parameters, settings and commands well',
    onHardware: 'LOOK',
    run: async (start) => {
      await using instrument = await start()
      await using opened = await openDevices(instrument, 1)
      const { parameters, commands } = opened.device
      expect(new Set(parameters.map(({ name }) => name)).size, 'each parameter once').toBe(parameters.length)
      for (const spec of parameters) {
        expect(spec.name).toMatch(NAME)
        expectDescribed(spec)
        for (const pollMs of [spec.pollMs, spec.busyPollMs]) expect(pollMs ?? MINIMUM_POLL_MS, spec.name).toBeGreaterThanOrEqual(MINIMUM_POLL_MS)
        if (spec.access === 'WRITE_ONLY') expect(spec.pollMs, `${spec.name} cannot be read`).toBeUndefined()
      }
      for (const setting of instrument.driver.settings) expectDescribed(setting)
      for (const command of commands?.specs ?? []) {
        expect(command.name).toMatch(NAME)
        expect(command.description.trim()).not.toBe('')
        for (const argument of command.arguments) expectDescribed(argument)
      }
    },
  },
  {
    name: 'reads every parameter as a value of its kind, or says why not',
    onHardware: 'LOOK',
    run: async (start) => {
      await using instrument = await start()
      await using opened = await openDevices(instrument)
      for (const device of opened.devices) {
        const readings = await readAll(device)
        expect([...readings.keys()].sort()).toEqual(
          device.parameters
            .filter(isReadable)
            .map(({ name }) => name)
            .sort(),
        )
        for (const spec of device.parameters.filter(isReadable)) expectHonest(spec, readings.get(spec.name))
        expect([...readings.values()].filter((reading) => !('bad' in reading)).length, 'parameters that are good').toBeGreaterThan(readings.size / 2)
      }
    },
  },
]

function expectDescribed(spec: ParameterSpec | SettingSpec): void {
  const { name, unit, minimum, maximum, choices, kind } = spec
  expect(spec.description?.trim(), `the description of ${name}`).toBeTruthy()
  if (unit !== undefined) expect(isUnit(unit), `${name}: ${unit} is a UCUM code`).toBe(true)
  if (minimum !== undefined && maximum !== undefined) expect(minimum, `the limits of ${name}`).toBeLessThan(maximum)
  if (kind === 'ENUM') {
    expect(choices?.length ?? 0, `the choices of ${name}`).toBeGreaterThan(0)
    expect(new Set(choices).size, `the choices of ${name}`).toBe(choices?.length)
  } else if (kind !== 'INTEGER' && kind !== 'FLOAT') expect(minimum ?? maximum ?? unit, `${name} is a ${kind}`).toBeUndefined()
}

function expectFacetsNameTheirParameters(device: DeviceHandle): void {
  const spec = (name: string): ParameterSpec => device.parameters.find((each) => each.name === name) ?? expect.fail(`a facet names ${name}, which is not there`)
  const { motion, readout, shutter, emission, wavelength } = device
  if (motion !== undefined) {
    expect(spec(motion.positionParameter).unit).toBe(motion.unit)
    if (motion.velocityParameter !== undefined) spec(motion.velocityParameter)
  }
  if (readout !== undefined) spec(readout.parameter)
  for (const facet of [shutter, emission]) if (facet !== undefined) expect(spec(facet.parameter)).toMatchObject({ kind: 'BOOLEAN', access: 'READ_WRITE' })
  if (wavelength !== undefined) {
    expect(spec(wavelength.parameter).unit).toBe('nm')
    expect(spec(wavelength.setpointParameter)).toMatchObject({ unit: 'nm', access: 'READ_WRITE' })
  }
}
