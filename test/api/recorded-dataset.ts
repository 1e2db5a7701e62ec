import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FRAMES_FILE } from '../../core/dataset.ts'
import { openFrameFile } from '../../storage/frame-file.ts'
import { recoverStream } from '../../storage/recover.ts'
import { writeFrames } from '../storage/recorded-frames.ts'
import type { TestLab } from './lab.ts'

type Recorded = {
  readonly state: string
  readonly frames: number
  readonly width: number
  readonly height: number
  readonly pixelOf: (frame: number, pixel: number) => number
}

/** A dataset of frames as a camera's recording leaves it, in the lab's database and on its disk. Returns its id. */
export async function recordedDataset(lab: TestLab, { state, frames, width, height, pixelOf }: Recorded): Promise<string> {
  const id = randomUUID()
  const path = recordedFile(lab, id)
  await mkdir(dirname(path), { recursive: true })
  await writeFrames(path, width, height, frames, pixelOf)
  await recoverStream(path)
  await using file = await openFrameFile(path)
  const columns = [...file.columns, { name: 'frame', type: 'uint16', shape: [height, width] }].map((column) => ({ ...column }))
  const common = { stationId: lab.station.stationId, axes: ['time'], signals: ['frame'], shape: [frames, height, width], files: [], columns }
  await lab.api.services.database.prisma.dataset.create({
    data: { ...common, id, name: 'camera', kind: 'FRAMES', state, folder: `datasets/${id}`, rows: frames },
  })
  return id
}

export function recordedFile(lab: TestLab, datasetId: string): string {
  return join(lab.dataDir, 'datasets', datasetId, FRAMES_FILE)
}
