import { expect } from 'vitest'
import { Problem } from '../../../core/errors.ts'
import type { Measured } from '../../../core/reading.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import { never } from '../bench.ts'
import type { FaultCheck } from './check.ts'
import { openDevices } from './instrument.ts'
import { arrived, type EasySet, easySet, set } from './sets.ts'
import { isReadable, known, readAll } from './values.ts'
import { within } from './within.ts'

const MOST_CODES = 30 // of an instrument that documents more, every n-th
const LANES = 3 // instruments that share the codes, so that they are done beside each other

/** Each documented error reaches somebody: as a refusal, a bad reading or a status that changes. */
export const errors: readonly FaultCheck[] = Array.from({ length: LANES }, (_, lane) => ({
  name: `tells every documented error (${lane + 1} of ${LANES})`,
  run: async (start) => {
    await using probe = await start()
    const all = probe.simulation.errors
    const sampled = all.filter((_, at) => at % Math.ceil(all.length / MOST_CODES) === 0)
    for (const code of sampled.filter((_, at) => at % LANES === lane)) {
      await using instrument = await start() // errors may last: each has an instrument of its own
      await using opened = await openDevices(instrument)
      const easy = await easySet(opened.device, instrument.simulation)
      const before = await allReadings(opened.devices)
      instrument.simulation.inject({ kind: 'error', code })
      const told =
        (await toldByReadings(opened.devices, before)) ||
        (easy !== undefined && (await toldBySets(opened.devices, easy))) ||
        (await toldByMotion(opened.devices)) ||
        (await toldByReadings(opened.devices, before))
      expect(told, `somebody hears of error ${code}`).toBe(true)
      expect(opened.port.lost.aborted, `the port after error ${code}`).toBe(false)
    }
  },
}))

async function allReadings(devices: readonly DeviceHandle[]): Promise<readonly ReadonlyMap<string, Measured>[]> {
  const readings = []
  for (const device of devices) readings.push(await readAll(device))
  return readings
}

/** Turned bad, or a text, a choice or a flag that is another one. Numbers drift by themselves. */
async function toldByReadings(devices: readonly DeviceHandle[], before: readonly ReadonlyMap<string, Measured>[]): Promise<boolean> {
  for (const [at, device] of devices.entries()) {
    const now = await readAll(device)
    for (const { name, kind } of device.parameters.filter(isReadable)) {
      const [was, is] = [before[at]?.get(name), now.get(name)].map((measured) => measured && known(measured))
      if (was === undefined) continue
      if (is === undefined || (kind !== 'FLOAT' && is !== was)) return true
    }
  }
  return false
}

async function toldBySets(devices: readonly DeviceHandle[], { spec, values }: EasySet): Promise<boolean> {
  for (const device of devices) if (await refused(async () => void (await set(device, spec, values[0] ?? 0)))) return true
  return false
}

async function toldByMotion(devices: readonly DeviceHandle[]): Promise<boolean> {
  for (const device of devices) {
    const { motion } = device
    if (motion !== undefined && (await refused(() => within('asking for motion', motion.stop(never))))) return true
    if (await refused(() => arrived(device))) return true
    const position = device.readout ?? device.motion
    if (position === undefined && (await refused(async () => void (await readAll(device))))) return true
  }
  return false
}

async function refused(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act()
    return false
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return true
  }
}
