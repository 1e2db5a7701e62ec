import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Packr } from 'msgpackr'
import { replaceFile } from '../../../storage/durable.ts'
import type { MemoryState } from './memory.ts'

/** The station's memory as it was after `sequence`: what deleted segments would have told. */
export type Checkpoint = { readonly sequence: number; readonly memory: MemoryState }

const FILE = 'memory.msgpack'
const packr = new Packr({ useRecords: false, int64AsType: 'bigint' })

export async function readCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  try {
    return packr.unpack(await readFile(join(folder, FILE))) as Checkpoint
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** The old one or the new one is there, whatever happens. */
export function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  return replaceFile(join(folder, FILE), packr.pack(checkpoint))
}
