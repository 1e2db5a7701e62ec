import { field, follow, items, rootOf, viewOf } from './flatbuffer.ts'

// Of Message.fbs and Schema.fbs, the vectors of tables: of them apache-arrow believes how long they are, and makes as much of it.
const HEADER = 2
const SCHEMA = { fields: 1, metadata: 2 }
const FIELD = { children: 5, metadata: 6 }
const OFFSET_BYTES = 4

/** RangeError where a schema message says that it has more than its bytes can hold; what is in it may still be nonsense. */
export function checkSchema(metadata: Uint8Array): void {
  const view = viewOf(metadata)
  // Each item has an offset of its own: more of them, and some lead back to where they came from.
  let left = metadata.byteLength / OFFSET_BYTES
  const counted = (table: number, number: number): number[] => {
    const places = items(view, table, number, OFFSET_BYTES)
    left -= places.length
    if (left < 0) throw new RangeError('it has more fields than bytes')
    return places
  }
  const check = (table: number, { fields, metadata }: { readonly fields: number; readonly metadata: number }): void => {
    counted(table, metadata)
    for (const at of counted(table, fields)) check(follow(view, at), { fields: FIELD.children, metadata: FIELD.metadata })
  }
  const schema = field(view, rootOf(view), HEADER)
  if (schema !== 0) check(follow(view, schema), SCHEMA)
}

/** What comes of reading a schema; where that makes no sense, an error that says so, and not what JavaScript stumbled over. */
export function sensible<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError)) throw error
    throw new Error(`the Arrow schema at the beginning of the file is damaged: ${error.message}`, { cause: error })
  }
}
