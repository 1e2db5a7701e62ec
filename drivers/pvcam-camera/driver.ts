import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeviceSettings } from '../../core/device.ts'
import { asProblem, DeviceOffline } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { loadPvcam } from '../../native/devices.ts'
import type { Pvcam, PvcamCamera } from '../../native/pvcam-types.ts'
import { requireKind } from '../address.ts'
import type { DeviceHandle, Driver, DriverContext, DriverPort, Probed } from '../driver.ts'
import { addressOf, addressSetting, refuseUnknown, textOf } from '../settings.ts'
import { CameraDevice, type Ends } from './camera.ts'
import { ringFile } from './protocol.ts'

const camera: SettingSpec = { name: 'camera', kind: 'TEXT', required: false, description: 'Name of the camera as PVCAM lists it; the first one if not given' }
const version: SettingSpec = {
  name: 'pvcamVersion',
  kind: 'TEXT',
  required: false,
  default: '7.1.1.118',
  description: 'Given to the library as PVCAM_VERSION, without which it says that its installation is corrupted (error 151)',
}
const SETTINGS: readonly SettingSpec[] = [addressSetting('pvcam:///opt/pvcam/library/x86_64/libpvcam.so'), camera, version]

/** Teledyne Photometrics cameras (Prime BSI, Prime 95B …) through the vendor's library, or any library that exports the same functions. */
export const pvcamCamera: Driver<PvcamPort> = {
  id: 'pvcam-camera',
  vendor: 'Teledyne Photometrics',
  model: 'PVCAM camera',
  version: '1.0.0',
  portKind: 'NATIVE',
  settings: SETTINGS,
  documentation: 'A camera behind PVCAM. Large frames over USB need usbfs_memory_mb of 1000 or more.',
  capabilities: ['TRIGGERABLE', 'EXPOSURE_CONTROL', 'FRAME_PRODUCER', 'PARAMETERIZED', 'SETTABLE', 'COMMANDABLE'],
  locate: (settings) => {
    const { address, name } = locate(settings)
    return { address, ...(name !== undefined && { subAddress: name }) }
  },
  openPort,
  openDevice,
  probe,
}

type PvcamPort = DriverPort & { readonly library: Pvcam; readonly address: string; readonly lose: (why: string) => void }

function locate(settings: DeviceSettings): { readonly address: string; readonly name: string | undefined; readonly pvcamVersion: string } {
  refuseUnknown(settings, SETTINGS)
  const name = textOf(settings, camera)
  return { address: addressOf(settings, 'library'), name: name === '' ? undefined : name, pvcamVersion: textOf(settings, version) }
}

async function openPort(settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<PvcamPort> {
  const { address, pvcamVersion } = locate(settings)
  const { path } = requireKind(await context.resolve(address), 'library', address)
  signal.throwIfAborted()
  const lost = new AbortController()
  let library: Pvcam
  try {
    library = await loadPvcam(path, { environment: { PVCAM_VERSION: pvcamVersion } })
  } catch (error) {
    throw new DeviceOffline(`${address}: ${asProblem(error).message}`, {})
  }
  const lose = (why: string): void => {
    if (!lost.signal.aborted) lost.abort(new DeviceOffline(`${address}: ${why}`, {}))
  }
  return {
    library,
    address,
    lost: lost.signal,
    lose,
    [Symbol.asyncDispose]: async () => {
      lose('closed')
      await library[Symbol.asyncDispose]()
    },
  }
}

async function openDevice(port: PvcamPort, settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<DeviceHandle> {
  const { name } = locate(settings)
  const listed = await port.library.cameras()
  const chosen = name ?? listed[0]
  if (chosen === undefined || !listed.includes(chosen))
    throw new DeviceOffline(`${port.address} lists ${listed.length === 0 ? 'no camera' : listed.join(', ')}${name === undefined ? '' : `, not ${name}`}`, {})
  signal.throwIfAborted()
  const opened = await port.library.open(chosen)
  try {
    const ringPath = join(context.workFolder, ringFile(port.address, chosen))
    await rm(ringPath, { force: true }) // of a process that was killed: the camera is ours alone now, and so is its ring
    return await CameraDevice.open(opened, port.library.libraryVersion, ringPath, endsOf(port, opened))
  } catch (error) {
    await opened[Symbol.asyncDispose]()
    throw error
  }
}

/** A camera that is pulled out is lost alone, unless it was the library's last: that one finds it again only when it is loaded anew. */
function endsOf(port: PvcamPort, camera: PvcamCamera): Ends {
  const alone = new AbortController()
  const pulledOut = async (): Promise<void> => {
    if (!(await camera.removed)) return
    const why = `${camera.name} was removed`
    alone.abort(new DeviceOffline(`${port.address}: ${why}`, {}))
    if ((await port.library.cameras()).length === 0) port.lose(why)
  }
  pulledOut().catch((error: unknown) => port.lose(asProblem(error).message))
  return { lost: AbortSignal.any([port.lost, alone.signal]), lose: port.lose }
}

/** The library lists its cameras without opening one. */
async function probe(address: string, context: DriverContext, signal: AbortSignal): Promise<readonly Probed[]> {
  await using port = await openPort({ address }, context, signal)
  const names = await port.library.cameras()
  return names.map((name) => ({ identity: `PVCAM ${port.library.libraryVersion} ${name}`, settings: { address, camera: name } }))
}
