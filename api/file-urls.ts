import type { Roi } from '../core/device.ts'
import type { FrameSlice } from '../storage/frame-slice.ts'
import type { PngOptions } from '../storage/png.ts'
import type { FrameRange } from '../storage/roi-series.ts'

/** Where http/files.ts serves the files that the GraphQL API speaks of; relative to wherever the api is reached. */
export const FILES_PATH = '/files'

export function datasetFileUrl(datasetId: string, name: string): string {
  return `${FILES_PATH}/datasets/${datasetId}/${encodeURIComponent(name)}`
}

/** The pixels of one frame: alone, or as a file of NumPy. */
export function frameUrl(datasetId: string, index: number, form: 'raw' | 'npy'): string {
  return `${FILES_PATH}/datasets/${datasetId}/frames/${index}.${form}`
}

export function pngFrameUrl(datasetId: string, index: number, options: PngOptions): string {
  return `${FILES_PATH}/datasets/${datasetId}/frames/${index}.png${queryOf(options)}`
}

export function sliceUrl(datasetId: string, form: 'npy' | 'arrow', { roi, from, to, step, bin }: FrameSlice): string {
  return `${FILES_PATH}/datasets/${datasetId}/slice/frames.${form}${queryOf({ from, to, step, ...roi, bin })}`
}

export function frameSeriesUrl(datasetId: string, form: 'csv' | 'arrow' | 'npy', roi: Roi | undefined, { from, to, step }: FrameRange): string {
  return `${FILES_PATH}/datasets/${datasetId}/frame-series/series.${form}${queryOf({ from, to, step, ...roi })}`
}

function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value))
  return query.size === 0 ? '' : `?${query}`
}

export function manifestUrl(of: 'runs' | 'sessions', id: string): string {
  return `${FILES_PATH}/manifests/${of}/${id}.json`
}

export function exportFileUrl(exportId: string, name: string): string {
  return `${FILES_PATH}/exports/${exportId}/${encodeURIComponent(name)}`
}
