import { NotFound } from '../../core/errors.ts'
import { arrow } from './arrow.ts'
import { csv } from './csv.ts'
import type { ExportFormat } from './format.ts'

/** Every export format there is; a test compares this list with the folder. */
export const FORMATS: readonly ExportFormat[] = [csv, arrow]

export function formatNamed(id: string): ExportFormat {
  const format = FORMATS.find((candidate) => candidate.id === id)
  if (format === undefined) throw new NotFound(`export format ${id}; there are ${FORMATS.map((each) => each.id).join(', ')}`)
  return format
}
