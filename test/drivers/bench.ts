import { setMaxListeners } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeviceSettings } from '../../core/device.ts'
import { Problem } from '../../core/errors.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import { resolveAddress } from '../../drivers/address.ts'
import type { DeviceHandle, Driver, DriverContext, DriverPort } from '../../drivers/driver.ts'

/** A temporary folder and what a station would give a driver. */
export type Bench = AsyncDisposable & { readonly folder: string; readonly context: DriverContext; readonly messages: readonly string[] }

export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'kymograph-drivers-'))
  const messages: string[] = []
  return {
    folder,
    messages,
    context: {
      clock: { wallNs: () => BigInt(Date.now()) * 1_000_000n, monotonicNs: () => process.hrtime.bigint() },
      resolve: (address) => resolveAddress(address, folder),
      log: (message) => messages.push(message),
      workFolder: folder,
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

export const never: AbortSignal = new AbortController().signal
setMaxListeners(0, never) // whole suites share it

export async function open<Port extends DriverPort>(
  driver: Driver<Port>,
  settings: DeviceSettings,
  context: DriverContext,
): Promise<AsyncDisposable & { readonly port: Port; readonly device: DeviceHandle }> {
  const port = await driver.openPort(settings, context, never)
  try {
    const device = await driver.openDevice(port, settings, context, never)
    return {
      port,
      device,
      [Symbol.asyncDispose]: async () => {
        await device[Symbol.asyncDispose]()
        await port[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await port[Symbol.asyncDispose]()
    throw error
  }
}

export async function readOne(device: DeviceHandle, name: string): Promise<Measured | undefined> {
  return (await device.read([name], never)).get(name)
}

export async function goodValue(device: DeviceHandle, name: string): Promise<ParameterValue> {
  const measured = await readOne(device, name)
  if (measured === undefined || 'bad' in measured) throw new Error(`${name} is bad: ${measured?.bad}`)
  return measured.value
}

export async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('nothing was refused')
}
