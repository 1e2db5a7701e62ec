/** Where api/http/files.ts serves the files that the GraphQL API speaks of; relative to wherever the api is reached. */

export function datasetFileUrl(datasetId: string, name: string): string {
  return `/files/datasets/${datasetId}/${encodeURIComponent(name)}`
}

export function frameUrl(datasetId: string, index: number, form: 'raw' | 'png'): string {
  return `/files/datasets/${datasetId}/frames/${index}.${form}`
}

export function exportFileUrl(exportId: string, name: string): string {
  return `/files/exports/${exportId}/${encodeURIComponent(name)}`
}
