import { LineCounter, parseDocument } from 'yaml'
import { InvalidValue } from '../core/errors.ts'
import type { DescriptionFormat } from './description.ts'
import type { Driver } from './driver.ts'

/** The driver that a text describes, by the format that its `protocol:` names. Throws InvalidValue, `<file>:<line>:<column>: …`. */
export function driverOfDescription(formats: readonly DescriptionFormat[], text: string, file: string): Driver {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter })
  const refuse = (offset: number, sentence: string): never => {
    const { line, col } = lineCounter.linePos(offset)
    throw new InvalidValue(`${file}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${sentence}`, ['protocol'])
  }
  const [broken] = document.errors
  if (broken !== undefined) return refuse(broken.pos[0], (broken.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''))
  const allowed = formats.map(({ protocol }) => protocol).join(', ')
  const node: unknown = document.get('protocol', true)
  const at = positionOf(node)
  if (at === undefined) return refuse(0, `protocol is missing: one of ${allowed}`)
  const protocol: unknown = document.get('protocol')
  const format = formats.find((candidate) => candidate.protocol === protocol)
  if (format === undefined) return refuse(at, `protocol: ${JSON.stringify(protocol)} is not allowed; choose one of ${allowed}`)
  return format.driverOf(text, file)
}

function positionOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined
  const [start] = node.range
  return typeof start === 'number' ? start : undefined
}
