import { closeSync, writeSync } from 'node:fs'
import { HardwareFault, messageOf } from '../core/errors.ts'
import { Turns } from '../core/turns.ts'
import { builtFile, loadAddon } from './addon.ts'
import { OpenedComedi } from './comedi.ts'
import { withProblems, withProblemsLater } from './faults.ts'
import { OpenedPvcam } from './pvcam.ts'
import type { Pvcam } from './pvcam-types.ts'
import type {
  ComediBoard,
  GpioInput,
  GpioInputOptions,
  LibraryAnswer,
  LibraryDevice,
  PseudoTerminal,
  SpiDevice,
  SpiOptions,
  Stepper,
  StepperOptions,
  UsbtmcDevice,
} from './types.ts'

/**
 * Loads a PVCAM library and initialises it. `environment` is set in this process first, because the library reads it then: the vendor's needs PVCAM_VERSION
 * (without it: error 151), the simulator takes KYMOGRAPH_PVCAM_SIM_SIZE ("2048x2048").
 */
export function loadPvcam(path: string, options: { readonly environment?: Readonly<Record<string, string>> } = {}): Promise<Pvcam> {
  return loads.take(() => withProblemsLater('NONE', async () => new OpenedPvcam(await loadAddon().loadPvcam(path, options.environment ?? {}))))
}

/** One library after the other: the environment is the whole process's. */
const loads = new Turns()

/** Our own library without a camera, with the same C functions. */
export function pvcamSimulatorPath(): string {
  return builtFile('libkymograph_pvcam_sim.so')
}

/**
 * Opens a board through libcomedi, which is looked for where the system looks for libraries when `library` is a bare name. Throws HardwareFault with Comedi's
 * code when the board does not open.
 */
export async function openComedi(library: string, device: string): Promise<ComediBoard> {
  return new OpenedComedi(await withProblemsLater('NONE', () => loadAddon().openComedi(library, device)))
}

/** Our own libcomedi with a board that is not there, with the same C functions. */
export function comediSimulatorPath(): string {
  return builtFile('libkymograph_comedi_sim.so')
}

/** Raw mode, no echo. Read and write the master with fs.read and fs.write. */
export function openPseudoTerminal(): PseudoTerminal {
  const { masterFd, slaveFd, slavePath } = loadAddon().openPseudoTerminal()
  let open = true
  let ownsMaster = true
  return {
    masterFd,
    slavePath,
    giveMaster() {
      ownsMaster = false
      return masterFd
    },
    close() {
      if (!open) return
      open = false
      if (ownsMaster) writeSync(slaveFd, WAKE) // a blocking read of the master would outlive its descriptor and keep the process from ending
      closeSync(slaveFd)
      if (ownsMaster) closeSync(masterFd)
    },
  }
}

/** One byte that nobody is meant to read. */
const WAKE = new Uint8Array(1)

/** Linux spidev. Throws the system's error (ENOENT, EACCES; ENOTSUP elsewhere), with the path in its message. */
export function openSpi(options: SpiOptions): SpiDevice {
  return withProblems('NONE', () => loadAddon().openSpi(options))
}

/** As openSpi, for one input line of the Linux GPIO character device; EBUSY when another program has it. */
export function openGpioInput(options: GpioInputOptions): GpioInput {
  return withProblems('NONE', () => loadAddon().openGpioInput(options))
}

/** As openGpioInput, for a step and a direction line; both are low at first. */
export function openStepper(options: StepperOptions): Stepper {
  return withProblems('NONE', () => loadAddon().openStepper(options))
}

/** As openSpi, for an instrument behind the kernel's usbtmc driver; ENOTTY when the path is something else. */
export function openUsbtmc(path: string): UsbtmcDevice {
  return withProblems('NONE', () => loadAddon().openUsbtmc(path))
}

/**
 * Opens a device of a library that exports the functions of native/include/kymograph_driver.h, on a thread of its own: also one that never answers holds up
 * nothing else. Throws HardwareFault when the library cannot be loaded. `settings`: a JSON object.
 */
export async function openDriverDevice(path: string, settings: string): Promise<LibraryAnswer<'device', LibraryDevice>> {
  try {
    return await loadAddon().openDriverDevice(path, settings)
  } catch (error) {
    throw new HardwareFault(messageOf(error), 'NONE', {}, { cause: error })
  }
}
