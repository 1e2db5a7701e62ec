import type { DataType } from 'apache-arrow'
import { Bool, Field, FixedSizeList, Float64, Int64, Schema, TimestampNanosecond, Type, Uint16, Uint64, Utf8 } from 'apache-arrow'
import { Message } from 'apache-arrow/ipc/metadata/message'
import type { ColumnType, DatasetColumn } from '../core/dataset.ts'
import { checkSchema, sensible } from './schema-check.ts'

/** Columns of a dataset as an Arrow schema and back. What Arrow has no place for (unit, device, parameter, shape) is in each field's metadata. */

export function schemaOf(columns: readonly DatasetColumn[], metadata: Readonly<Record<string, string>>): Schema {
  const fields = columns.map((column) => new Field(column.name, typeOf(column), isNullable(column), fieldMetadata(column)))
  return new Schema(fields, new Map(Object.entries(metadata)))
}

export function encodeSchema(schema: Schema): Uint8Array {
  return Message.encode(Message.from(schema))
}

/** Throws where the metadata of the file's first message is damaged, or not a schema. */
export function decodeSchema(metadata: Uint8Array): {
  readonly columns: readonly DatasetColumn[]
  readonly metadata: Readonly<Record<string, string>>
  readonly schema: Schema
} {
  return sensible(() => {
    checkSchema(metadata)
    const schema: unknown = Message.decode(metadata.slice()).header() // a copy: what is decoded may go on looking at its bytes
    if (!(schema instanceof Schema)) throw new Error('the file does not begin with an Arrow schema')
    return { schema, columns: schema.fields.map(columnOf), metadata: Object.fromEntries(schema.metadata) }
  })
}

/** Cells of arrays (pixels) are always there; a scalar may be missing. */
function isNullable(column: DatasetColumn): boolean {
  return column.shape === undefined
}

function fieldMetadata({ unit, deviceId, parameter, shape }: DatasetColumn): Map<string, string> {
  const known = { unit, deviceId, parameter, shape: shape && JSON.stringify(shape) }
  return new Map(Object.entries(known).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

function typeOf({ type, shape }: DatasetColumn): DataType {
  const scalar = scalarType(type)
  return shape === undefined
    ? scalar
    : new FixedSizeList(
        shape.reduce((product, side) => product * side, 1),
        new Field('item', scalar, false),
      )
}

function scalarType(type: ColumnType): DataType {
  switch (type) {
    case 'float64':
      return new Float64()
    case 'int64':
      return new Int64()
    case 'uint64':
      return new Uint64()
    case 'uint16':
      return new Uint16()
    case 'bool':
      return new Bool()
    case 'utf8':
      return new Utf8()
    case 'timestamp[ns]':
      return new TimestampNanosecond('UTC')
  }
}

function columnOf(field: Field): DatasetColumn {
  const { metadata } = field
  const list = field.type.typeId === Type.FixedSizeList ? (field.type as FixedSizeList) : undefined
  const [unit, deviceId, parameter, shape] = ['unit', 'deviceId', 'parameter', 'shape'].map((key) => metadata.get(key))
  return {
    name: field.name,
    type: columnType(list?.children[0]?.type ?? field.type, field.name),
    ...(unit !== undefined && { unit }),
    ...(deviceId !== undefined && { deviceId }),
    ...(parameter !== undefined && { parameter }),
    ...(shape !== undefined ? { shape: JSON.parse(shape) as number[] } : list && { shape: [list.listSize] }),
  }
}

const TYPES: Readonly<Record<string, ColumnType>> = {
  Float64: 'float64',
  Int64: 'int64',
  Uint64: 'uint64',
  Uint16: 'uint16',
  Bool: 'bool',
  Utf8: 'utf8',
  'Timestamp<NANOSECOND, UTC>': 'timestamp[ns]',
  'Timestamp<NANOSECOND>': 'timestamp[ns]',
}

function columnType(type: DataType, name: string): ColumnType {
  const known = TYPES[String(type)]
  if (known === undefined) throw new Error(`column ${name} has the Arrow type ${String(type)}, which is none of ours`)
  return known
}
