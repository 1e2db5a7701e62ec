/** Where http/files.ts serves the files that the GraphQL API speaks of; relative to wherever the api is reached. */
export const FILES_PATH = '/files'

export function datasetFileUrl(datasetId: string, name: string): string {
  return `${FILES_PATH}/datasets/${datasetId}/${encodeURIComponent(name)}`
}

export function rawFrameUrl(datasetId: string, index: number): string {
  return `${FILES_PATH}/datasets/${datasetId}/frames/${index}.raw`
}

/** Pixels at `minimum` are black, at `maximum` white; absent: the frame's own extremes. */
export function pngFrameUrl(
  datasetId: string,
  index: number,
  levels: { readonly minimum?: number | null | undefined; readonly maximum?: number | null | undefined },
): string {
  const query = new URLSearchParams()
  if (levels.minimum != null) query.set('minimum', String(levels.minimum))
  if (levels.maximum != null) query.set('maximum', String(levels.maximum))
  const text = query.toString()
  return `${FILES_PATH}/datasets/${datasetId}/frames/${index}.png${text === '' ? '' : `?${text}`}`
}

export function manifestUrl(of: 'runs' | 'sessions', id: string): string {
  return `${FILES_PATH}/manifests/${of}/${id}.json`
}

export function exportFileUrl(exportId: string, name: string): string {
  return `${FILES_PATH}/exports/${exportId}/${encodeURIComponent(name)}`
}
