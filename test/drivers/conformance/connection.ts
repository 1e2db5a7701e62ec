import { expect } from 'vitest'
import { until } from '../../until.ts'
import { never, problemOf } from '../bench.ts'
import type { Check, FaultCheck } from './check.ts'
import { openDevices } from './instrument.ts'
import { readAll } from './values.ts'
import { within } from './within.ts'

const LOST_WITHIN_MS = 10_000
const OTHER_ADDRESSES = ['pvcam:///x.so', 'spi:///dev/x'] // no driver takes both

/** The life of a connection. */
export const connection: readonly Check[] = [
  {
    name: 'refuses settings that it does not know, and addresses that it cannot use',
    onHardware: 'LOOK',
    run: async (start) => {
      await using instrument = await start()
      const { driver } = instrument
      for (const settings of instrument.settings) {
        const { address } = settings
        expect(driver.locate(settings).address).toBe(address)
        expect(() => driver.locate({ ...settings, misspelt_setting: 1 })).toThrow(/misspelt_setting/)
        expect(() => driver.locate({ ...settings, address: 'nowhere' })).toThrow(/nowhere/)
        expect(() => driver.locate({})).toThrow()
        const refused = OTHER_ADDRESSES.filter((other) => {
          try {
            driver.locate({ ...settings, address: other })
            return false
          } catch (error) {
            expect(error).toMatchObject({ code: 'INVALID_VALUE' })
            return true
          }
        })
        expect(refused.length, `addresses of ${OTHER_ADDRESSES.join(', ')} that are refused`).toBeGreaterThan(0)
      }
    },
  },
  {
    name: 'lets go of the port when it is closed, so that it opens again',
    onHardware: 'LOOK',
    run: async (start) => {
      await using instrument = await start()
      for (let time = 0; time < 2; time += 1) {
        const opened = await openDevices(instrument)
        await opened[Symbol.asyncDispose]()
        expect(opened.port.lost.aborted, 'a closed port is lost').toBe(true)
      }
    },
  },
  {
    name: 'is heard when the caller gives up, before and while it asks',
    onHardware: 'LOOK',
    run: async (start) => {
      await using instrument = await start()
      await using opened = await openDevices(instrument, 1)
      const { device } = opened
      const names = device.parameters.map(({ name }) => name)
      const caller = new AbortController()
      const asked = within('a read that was given up', device.read(names, caller.signal)).then(
        () => undefined,
        () => undefined,
      )
      caller.abort()
      await asked
      await within('a read that was given up before', device.read(names, caller.signal)).catch(() => undefined)
      await readAll(device) // and the line is as good as before
    },
  },
]

export const lostConnection: readonly FaultCheck[] = [
  {
    name: 'loses an unplugged port with a word, and works again at the same address',
    run: async (start) => {
      await using instrument = await start()
      const { simulation } = instrument
      {
        await using opened = await openDevices(instrument, 1)
        const { device } = opened
        const names = device.parameters.map(({ name }) => name)
        await simulation.unplug()
        await until(
          () =>
            opened.port.lost.aborted ||
            device.read(names, never).then(
              () => false,
              () => false,
            ),
          {
            deadlineMs: LOST_WITHIN_MS,
            what: 'the loss of the port',
          },
        )
        expect(opened.port.lost.reason).toMatchObject({ code: 'DEVICE_OFFLINE' })
        expect(await problemOf(within('reading a lost port', device.read(names, never)))).toMatchObject({ code: 'DEVICE_OFFLINE', effect: 'NONE' })
      }
      expect(await problemOf(openDevices(instrument, 1).then((opened) => opened[Symbol.asyncDispose]()))).toMatchObject({ code: 'DEVICE_OFFLINE' })
      await simulation.plugIn()
      await using again = await openDevices(instrument)
      expect(
        [...(await readAll(again.device)).values()].some((reading) => 'value' in reading),
        'a good reading after plugging in',
      ).toBe(true)
    },
  },
]
