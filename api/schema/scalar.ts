import { GraphQLError, Kind } from 'graphql'
import { formatRfc3339, parseRfc3339, type WallNs, wallNsFromMs } from '../../core/time.ts'
import { builder } from '../builder.ts'

function refuse(message: string): never {
  throw new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}

/** What nanoseconds since 1970 in 64 bit can say, which is how times are stored. */
const EARLIEST_NS = -(2n ** 63n)
const LATEST_NS = 2n ** 63n - 1n

function timeOf(text: unknown): WallNs {
  const time = typeof text === 'string' ? parseRfc3339(text) : undefined
  if (time === undefined) refuse(`${JSON.stringify(text)} is not an RFC 3339 time such as "2026-03-01T09:15:00Z"`)
  if (time < EARLIEST_NS || time > LATEST_NS) refuse(`${JSON.stringify(text)} is not between the years 1678 and 2262`)
  return time
}

builder.scalarType('Time', {
  description: 'RFC 3339, UTC, up to nanoseconds: "2026-03-01T09:15:00.123456789Z"',
  serialize: (time) => formatRfc3339(time instanceof Date ? wallNsFromMs(time.getTime()) : time),
  parseValue: timeOf,
})

builder.scalarType('Cursor', {
  description: 'Opaque; only what the server gave is understood.',
  serialize: (cursor) => cursor,
  parseValue: (cursor) => (typeof cursor === 'string' ? cursor : refuse('a cursor is a text that the server gave')),
})

builder.scalarType('SafeInt', {
  description: 'A whole number up to 2^53 - 1.',
  serialize: (value) => {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : refuse(`${value} does not fit into a SafeInt`)
  },
  parseValue: (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) ? value : refuse(`${JSON.stringify(value)} is not a whole number up to 2^53 - 1`),
  // The default goes through Int's reading of literals only for values; a literal beyond 2^31 must pass as well.
  parseLiteral: (node) => {
    const value = node.kind === Kind.INT ? Number(node.value) : Number.NaN
    return Number.isSafeInteger(value) ? value : refuse('a SafeInt is a whole number up to 2^53 - 1')
  },
})

builder.scalarType('JSON', {
  description: 'Only where the content is open by nature (user metadata, plan arguments, software versions).',
  serialize: (value) => value,
  parseValue: (value) => value,
})

builder.scalarType('Value', {
  description: 'A JSON number, boolean, string or list of numbers; null where there is no value. Used only in answers.',
  serialize: (value) => {
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
    return typeof value === 'number' && !Number.isFinite(value) ? null : value
  },
  parseValue: () => refuse('Value is only used in answers'),
})
