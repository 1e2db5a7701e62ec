import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { loadPvcam, pvcamSimulatorPath } from '../../native/devices.ts'
import type { CameraStart, Pvcam, PvcamCamera } from '../../native/pvcam-types.ts'

/** What the simulator reads from the environment (native/pvcam-sim/options.h); the rest is as by default, whatever was set before. */
export type SimulatorOption = 'FAIL_AFTER' | 'FIRST_FRAME' | 'LOSE_EVERY' | 'SPOIL_EVERY' | 'METADATA' | 'STALL' | 'CONTEXT' | 'SIZE'
const OPTIONS: readonly SimulatorOption[] = ['FAIL_AFTER', 'FIRST_FRAME', 'LOSE_EVERY', 'SPOIL_EVERY', 'METADATA', 'STALL', 'CONTEXT', 'SIZE']

export type SimulatedPvcam = AsyncDisposable & { readonly pvcam: Pvcam; readonly folder: string; readonly library: string }

/** A copy of the library of its own, so that files beside it speak to no other. */
export async function simulatedPvcam(options: Partial<Record<SimulatorOption, string>> = {}): Promise<SimulatedPvcam> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-pvcam-'))
  const library = path.join(folder, 'libpvcam.so')
  await copyFile(pvcamSimulatorPath(), library)
  const environment = Object.fromEntries(OPTIONS.map((name) => [`KYMOGRAPH_PVCAM_SIM_${name}`, options[name] ?? '']))
  const pvcam = await loadPvcam(library, { environment: { PVCAM_VERSION: '7.1.1.118', ...environment } })
  return {
    pvcam,
    folder,
    library,
    [Symbol.asyncDispose]: async () => {
      await pvcam[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

export async function openCamera({ pvcam }: SimulatedPvcam, at = 0): Promise<PvcamCamera> {
  return await pvcam.open((await pvcam.cameras())[at] ?? '')
}

export function startOf({ folder }: SimulatedPvcam, more: Partial<CameraStart> = {}): CameraStart {
  return {
    roi: { x: 0, y: 0, width: 64, height: 48 },
    binning: 1,
    exposureSeconds: 0.002,
    ringPath: path.join(folder, 'frames.ring'),
    ringSlots: 1024, // two seconds: a busy disk must not count
    ...more,
  }
}
