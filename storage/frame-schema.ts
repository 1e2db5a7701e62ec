import type { FileHandle } from 'node:fs/promises'
import type { Roi } from '../core/device.ts'
import { FRAME_COMPRESSIONS, type FrameLayout } from '../core/frame.ts'
import { ByteSource, PREFIX_BYTES, readExactly, readMessageAt } from './arrow-message.ts'
import { decodeSchema } from './arrow-schema.ts'
import { type CellPlace, cellPlaces } from './frame-cells.ts'
import { type FrameSettings, isKnownLayout, LAYOUT_KEY, layoutAround } from './frame-heads.ts'
import { sensible } from './schema-check.ts'

/** What the schema of a recording of frames says. */
export type FrameSchema = {
  readonly layout: FrameLayout
  readonly settings: FrameSettings
  readonly metadata: ReadonlyMap<string, string>
  readonly places: readonly CellPlace[]
}

/** Throws by name of the file where it does not begin with such a schema. */
export async function readFrameSchema(file: FileHandle, path: string): Promise<FrameSchema> {
  const { size } = await file.stat()
  const first = await readMessageAt(new ByteSource(file, size), 0)
  if (first.at !== 'message' || first.head.kind !== 'schema') throw new Error(`${path} does not begin with a whole Arrow schema`)
  const { schema, columns } = decodeSchema(first.head.metadata)
  const version = schema.metadata.get(LAYOUT_KEY)
  if (!isKnownLayout(version)) throw new Error(`${path} is not a recording of frames of a layout that is known here`)
  const [height, width] = columns.at(-1)?.shape ?? []
  if (!isSide(height) || !isSide(width)) throw new Error(`${path}: its schema does not tell the shape of a frame`)
  const schemaMessage = await readExactly(file, 0, PREFIX_BYTES + first.head.metadata.byteLength)
  return sensible(() => {
    const settings = settingsOf(schema.metadata)
    const layout = layoutAround(schemaMessage, { width, height, version, settings })
    return { layout, settings, metadata: schema.metadata, places: cellPlaces(columns) }
  })
}

function isSide(pixels: unknown): pixels is number {
  return typeof pixels === 'number' && Number.isSafeInteger(pixels) && pixels > 0
}

function settingsOf(metadata: ReadonlyMap<string, string>): FrameSettings {
  const regions = metadata.get('regions')
  const compression = FRAME_COMPRESSIONS.find((known) => known === metadata.get('compression'))
  return {
    roi: JSON.parse(metadata.get('roi') ?? '{}') as Roi,
    binning: Number(metadata.get('binning')),
    exposureSeconds: Number(metadata.get('exposureSeconds')),
    ...(regions !== undefined && { regions: JSON.parse(regions) as readonly Roi[] }),
    ...(compression !== undefined && { compression }),
  }
}
