import { type FieldNode, type GraphQLResolveInfo, Kind } from 'graphql'
import { formatRfc3339 } from '../../core/time.ts'
import type { LiveSeries } from './reading-batch.ts'

export type SeriesWriter = (series: readonly LiveSeries[]) => string

const writers = new WeakMap<FieldNode, SeriesWriter | undefined>()

/**
 * Writes live series as JSON straight from their columns: the same text that graphql-js would make of them, for a selection of plain fields. undefined for a
 * selection with directives or fragments, which graphql-js then does. Found once for each document.
 */
export function seriesWriter({ fieldNodes: [node, ...more] }: Pick<GraphQLResolveInfo, 'fieldNodes'>): SeriesWriter | undefined {
  if (node === undefined || more.length > 0) return undefined
  if (!writers.has(node)) writers.set(node, compile(node))
  return writers.get(node)
}

type Write = (series: LiveSeries) => string
const list = (values: readonly (string | number | boolean | null)[] | undefined): string => (values === undefined ? 'null' : JSON.stringify(values))

const FIELDS: Readonly<Record<string, Write>> = {
  __typename: () => '"LiveSeries"',
  parameterId: ({ parameterId }) => `"${parameterId}"`,
  unit: ({ unit }) => (unit === undefined ? 'null' : JSON.stringify(unit)),
  start: ({ start }) => timeText(start),
  offsetsMs: ({ offsetsMs }) => (offsetsMs.length === 1 ? `[${offsetsMs[0]}]` : JSON.stringify(offsetsMs)),
  numbers: ({ numbers }) => (numbers?.length === 1 ? `[${numbers[0]}]` : list(numbers)),
  texts: ({ texts }) => list(texts),
  booleans: ({ booleans }) => list(booleans),
  qualities: ({ qualities }) => (qualities.length === 1 ? `["${qualities[0]}"]` : JSON.stringify(qualities)),
}

function compile({ selectionSet }: FieldNode): SeriesWriter | undefined {
  const keys = new Set<string>()
  const parts: { readonly before: string; readonly write: Write }[] = []
  for (const selection of selectionSet?.selections ?? []) {
    if (selection.kind !== Kind.FIELD || (selection.directives?.length ?? 0) > 0) return undefined
    const key = (selection.alias ?? selection.name).value
    const write = FIELDS[selection.name.value]
    if (write === undefined || keys.has(key)) return undefined
    keys.add(key)
    parts.push({ before: `${parts.length === 0 ? '{' : ','}"${key}":`, write })
  }
  return (series) => {
    let text = '['
    for (const [index, one] of series.entries()) {
      if (index > 0) text += ','
      for (const { before, write } of parts) text += before + write(one)
      text += '}'
    }
    return `${text}]`
  }
}

let lastTime = 0n
let lastText = ''

/** The values of a batch mostly share their time. */
function timeText(time: bigint): string {
  if (time !== lastTime || lastText === '') {
    lastTime = time
    lastText = `"${formatRfc3339(time)}"`
  }
  return lastText
}
