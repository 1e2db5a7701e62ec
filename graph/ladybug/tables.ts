import { NODE_KINDS, NODES, type PropertyType, RELATION_TYPES, RELATIONS } from '../model.ts'

const COLUMN_TYPES: Readonly<Record<PropertyType, string>> = { text: 'STRING', number: 'INT64', flag: 'BOOLEAN' }

/** Ladybug knows only the labels and properties that were declared. */
export function tableTexts(): string[] {
  const table = (kind: string, columns: Readonly<Record<string, PropertyType>>): string => {
    const declared = Object.entries(columns).map(([name, type]) => `${name} ${COLUMN_TYPES[type]}`)
    return `CREATE NODE TABLE IF NOT EXISTS ${kind}(${declared.join(', ')}, PRIMARY KEY(id))`
  }
  return [
    ...NODE_KINDS.map((kind) => table(kind, NODES[kind])),
    table('Projection', { id: 'text', graphId: 'text', sequence: 'number', complete: 'flag', fingerprint: 'text', holder: 'text' }),
    ...RELATION_TYPES.map((type) => {
      const { from, to, hasRole } = RELATIONS[type]
      return `CREATE REL TABLE IF NOT EXISTS ${type}(FROM ${from} TO ${to}${hasRole ? ', role STRING' : ''})`
    }),
  ]
}
