import type { BlockItem } from './description.ts'

/** Arbitrary block response data of IEEE 488.2, 8.7.9 and 8.7.10: `#` digits, count of bytes, bytes; `#0` runs to the end of the message. */

type Block = { readonly start: number; readonly length: number }

/** Where the bytes of a block that starts the text are, or `more` when its head is not whole yet; undefined when no block starts there. */
export function blockAt(text: string): Block | 'more' | undefined {
  if (!text.startsWith('#')) return undefined
  if (text.length < 2) return 'more'
  const digits = Number(text[1])
  if (!(digits >= 1 && digits <= 9)) return undefined
  const count = text.slice(2, 2 + digits)
  if (!/^\d*$/.test(count)) return undefined
  return count.length < digits ? 'more' : { start: 2 + digits, length: Number(count) }
}

const SIZES: Readonly<Record<BlockItem, number>> = { int8: 1, uint8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, float32: 4, float64: 8 }

/** The numbers in a block; undefined when the text (Latin-1: one character for each byte) is none, or its bytes are cut. */
export function readBlock(text: string, format: { readonly item: BlockItem; readonly little: boolean }): readonly number[] | undefined {
  const at: Block | 'more' | undefined = text.startsWith('#0') ? { start: 2, length: text.length - 2 } : blockAt(text)
  const size = SIZES[format.item]
  if (at === undefined || at === 'more' || at.start + at.length !== text.length || at.length % size !== 0) return undefined
  const bytes = Buffer.from(text.slice(at.start), 'latin1')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: at.length / size }, (_, index) => item(view, index * size, format))
}

function item(view: DataView, at: number, { item: kind, little }: { readonly item: BlockItem; readonly little: boolean }): number {
  switch (kind) {
    case 'int8':
      return view.getInt8(at)
    case 'uint8':
      return view.getUint8(at)
    case 'int16':
      return view.getInt16(at, little)
    case 'uint16':
      return view.getUint16(at, little)
    case 'int32':
      return view.getInt32(at, little)
    case 'uint32':
      return view.getUint32(at, little)
    case 'float32':
      return view.getFloat32(at, little)
    case 'float64':
      return view.getFloat64(at, little)
  }
}
