import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { comediSimulatorPath, openComedi } from '../../native/devices.ts'
import type { ComediBoard } from '../../native/types.ts'

export const DEVICE = '/dev/comedi0'
export const [AI, AO, DIO, COUNTER_0, COUNTER_1, FREQUENCY] = [0, 1, 2, 11, 12, 13] as const

/** Where the copy of the simulated library of each test is. */
export type ComediFiles = { folder: string; library: string }

/** For the file that calls it: a copy of the simulated library for each test. */
export function comediFiles(): ComediFiles {
  const files: ComediFiles = { folder: '', library: '' }
  beforeEach(async () => {
    files.folder = await mkdtemp(path.join(tmpdir(), 'kymograph-comedi-'))
    files.library = path.join(files.folder, 'libcomedi.so')
    await copyFile(comediSimulatorPath(), files.library)
  })
  afterEach(() => rm(files.folder, { recursive: true }))
  return files
}

/** `bench`: native/comedi-sim/bench.h. */
export async function openOn({ library }: ComediFiles, bench = ''): Promise<ComediBoard> {
  await writeFile(`${library}.bench`, bench)
  return await openComedi(library, DEVICE)
}

export const volts = (raw: number, minimum: number, maximum: number): number => minimum + (raw / 65_535) * (maximum - minimum)
export const input = (channel: number, range = 0, reference = 0) => ({ subdevice: AI, channel, range, reference })
export const output = (channel: number, range = 0) => ({ subdevice: AO, channel, range, reference: 0 })
export const problem = (code: string, more: object = {}) => expect.objectContaining({ code, ...more })
