import { expect } from 'vitest'
import { type CommandSpec, checkArguments } from '../../../core/command-spec.ts'
import { Problem } from '../../../core/errors.ts'
import type { SettingSpec } from '../../../core/parameter.ts'
import type { ParameterValue } from '../../../core/reading.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import { until } from '../../until.ts'
import { never, problemOf } from '../bench.ts'
import type { Check } from './check.ts'
import { openDevices } from './instrument.ts'
import { known, read, readAll } from './values.ts'
import { within } from './within.ts'

const RESTS_WITHIN_MS = 60_000

/** What a device does beside being read and set. */
export const commands: readonly Check[] = [
  {
    name: 'carries out each command of its own, or says why not, and can be read after it',
    onHardware: 'MOVE',
    run: async (start) => {
      await using instrument = await start({ timeFactor: 20 })
      await using opened = await openDevices(instrument, 1)
      const { device, port } = opened
      const { commands: facet } = device
      if (facet === undefined) return
      for (const spec of facet.specs) {
        const given = argumentsOf(spec)
        if (given === undefined) continue
        const told = await within(`${spec.name} ${JSON.stringify(given)}`, facet.invoke(spec.name, checkArguments(spec, given), never)).catch(
          (error: unknown) => {
            expect(error, `what ${spec.name} throws`).toBeInstanceOf(Problem)
            return undefined
          },
        )
        if (told !== undefined) expect(spec.result, `${spec.name} answers ${JSON.stringify(told)}`).toBeDefined()
        await rests(device, spec.name)
        expect(port.lost.aborted, `the port is lost after ${spec.name}`).toBe(false)
        await readAll(device)
      }
    },
  },
  {
    name: 'refuses commands that it does not have, before the wire',
    onHardware: 'LOOK',
    run: async (start) => {
      await using instrument = await start()
      await using opened = await openDevices(instrument, 1)
      const { commands: facet } = opened.device
      if (facet === undefined) return
      const accepted = instrument.accepted?.length
      expect((await problemOf(within('an unknown command', facet.invoke('no_such_command', {}, never)))).effect).toBe('NONE')
      for (const spec of facet.specs) expect(() => checkArguments(spec, { no_such_argument: 1 })).toThrow(/no_such_argument/)
      expect(instrument.accepted?.length).toBe(accepted)
    },
  },
  {
    name: 'makes itself safe: nothing moves, shuttered and dark',
    onHardware: 'MOVE',
    run: async (start) => {
      await using instrument = await start({ timeFactor: 20 })
      await using opened = await openDevices(instrument)
      for (const device of opened.devices) {
        if (device.makeSafe === undefined) continue
        await within('making safe', device.makeSafe(never))
        await rests(device, 'making safe')
        const { shutter, emission } = device
        for (const facet of [shutter, emission]) if (facet !== undefined) expect(known(await read(device, facet.parameter)), facet.parameter).toBe(false)
      }
      const { driver } = instrument
      if (driver.afterLostStation === 'MAKE_SAFE')
        for (const device of opened.devices) expect(device.makeSafe, 'a device that is to be made safe after a lost station can be').toBeDefined()
    },
  },
]

/** The least that it takes; undefined where nothing of the kind can be made up. */
function argumentsOf(spec: CommandSpec): Readonly<Record<string, ParameterValue>> | undefined {
  const given: Record<string, ParameterValue> = {}
  for (const argument of spec.arguments) {
    if (!argument.required) continue
    const value = valueFor(argument)
    if (value === undefined) return undefined
    given[argument.name] = value
  }
  return given
}

function valueFor({ kind, choices, minimum, maximum }: SettingSpec): ParameterValue | undefined {
  switch (kind) {
    case 'BOOLEAN':
      return false
    case 'ENUM':
      return choices?.[0]
    case 'INTEGER':
    case 'FLOAT':
      return Math.min(maximum ?? 1, Math.max(minimum ?? 1, 1))
    default:
      return undefined
  }
}

async function rests(device: DeviceHandle, after: string): Promise<void> {
  const busy = async (): Promise<boolean> => {
    try {
      const underWay = (await device.underWay?.(never)) === true // asked each time: it is what follows a command
      return underWay || (await device.motion?.isMoving(never)) === true
    } catch (error) {
      if (error instanceof Problem) return false // it ended badly, and says so
      throw error
    }
  }
  await until(async () => !(await busy()), { deadlineMs: RESTS_WITHIN_MS, everyMs: 10, what: `rest after ${after}` })
}
