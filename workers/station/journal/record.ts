import { crc32 } from 'node:zlib'
import { Packr, Unpackr } from 'msgpackr'
import type { JournalEntry } from '../../../core/journal.ts'

/**
 * One entry on disk:
 *
 *     u32 bytes of the payload | u32 CRC-32 of all that follows | u64 sequence | u8 type | payload (MessagePack)
 *
 * little-endian. The type stands outside the payload so that a scan decodes only what it looks for; the sequence is under the checksum so that a record
 * can never pass for one of another place.
 */
export const HEAD_BYTES = 17
const CRC_FROM = 8

const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024 // a manifest of ten thousand parameters is about 2 MB; a longer length is damage

/** Numbers on disk: only ever append. */
const TYPES = [
  'command',
  'outcome',
  'parameters',
  'samples',
  'change',
  'run',
  'dataset',
  'queue',
  'emergencyStop',
  'event',
  'life',
] as const satisfies readonly JournalEntry['type'][]

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: false })
// A bigint is written as a 64-bit integer and a number never is (msgpackr writes large ones as float64), so each comes back as what it was.
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'bigint' })

export type EncodedEntry = { readonly head: Buffer; readonly payload: Buffer }
export type StoredEntry = { readonly sequence: number; readonly entry: JournalEntry }

/** What a scan finds: `entry()` decodes it. `end` is the offset behind it. */
export type FoundRecord = { readonly sequence: number; readonly type: JournalEntry['type']; readonly end: number; readonly entry: () => JournalEntry }

export function encodeRecord(sequence: number, entry: JournalEntry): EncodedEntry {
  const payload = packr.pack(entry)
  if (payload.length > MAX_PAYLOAD_BYTES) throw new RangeError(`a journal entry of ${payload.length} bytes is longer than ${MAX_PAYLOAD_BYTES}`)
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head.writeUInt32LE(payload.length, 0)
  head.writeBigUInt64LE(BigInt(sequence), CRC_FROM)
  head.writeUInt8(TYPES.indexOf(entry.type), HEAD_BYTES - 1)
  head.writeUInt32LE(crc32(payload, crc32(head.subarray(CRC_FROM))), 4)
  return { head, payload }
}

/** How many bytes the record at `offset` takes; undefined when its head is not there yet or names an impossible length. */
export function recordBytes(bytes: Buffer, offset: number): number | 'short' | 'bad' {
  if (offset + HEAD_BYTES > bytes.length) return 'short'
  const length = bytes.readUInt32LE(offset)
  return length > MAX_PAYLOAD_BYTES ? 'bad' : HEAD_BYTES + length
}

/** The record at `offset`, which must be `sequence`. `short`: its end lies behind the bytes given. `bad`: torn or damaged. */
export function readRecord(bytes: Buffer, offset: number, sequence: number): FoundRecord | 'short' | 'bad' {
  const size = recordBytes(bytes, offset)
  if (typeof size !== 'number') return size
  const end = offset + size
  if (end > bytes.length) return 'short'
  if (crc32(bytes.subarray(offset + CRC_FROM, end)) !== bytes.readUInt32LE(offset + 4)) return 'bad'
  const type = TYPES[bytes.readUInt8(offset + HEAD_BYTES - 1)]
  if (type === undefined || bytes.readBigUInt64LE(offset + CRC_FROM) !== BigInt(sequence)) return 'bad'
  return { sequence, type, end, entry: () => unpackr.unpack(bytes.subarray(offset + HEAD_BYTES, end)) as JournalEntry }
}
