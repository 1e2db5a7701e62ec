import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DeviceRecord, DeviceSettings } from '../../../core/device.ts'
import type { Database } from '../../../prisma/client.ts'

/** What a station must know to start while the database is away. */
export type RegistryCopy = { readonly stationId: string; readonly epoch: number; readonly devices: readonly DeviceRecord[] }

/** Devices that this station is to connect, as PostgreSQL holds them. */
export async function readDevices({ prisma }: Database, stationId: string): Promise<readonly DeviceRecord[]> {
  const rows = await prisma.device.findMany({ where: { stationId, removedAt: null, enabled: true }, orderBy: { name: 'asc' } })
  return rows.map(({ id, name, label, driverId, settings, version }) => ({
    id,
    name,
    ...(label !== null && { label }),
    driverId,
    stationId,
    settings: (settings ?? {}) as DeviceSettings,
    version,
  }))
}

/** undefined when there is none yet. */
export async function loadRegistry(path: string): Promise<RegistryCopy | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  return JSON.parse(text) as RegistryCopy
}

/** Whole or not at all: a torn copy would keep a station from starting. */
export async function saveRegistry(path: string, copy: RegistryCopy): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.new`
  const file = await open(draft, 'w')
  try {
    await file.writeFile(`${JSON.stringify(copy, undefined, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
