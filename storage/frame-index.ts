import type { CompressedLayout, FrameLayout } from '../core/frame.ts'

/** Where things are in a file of frames. Every uncompressed batch is equally long, so that any frame is one multiplication away. */

export function batchStart(layout: FrameLayout, index: number): number {
  return layout.schemaMessage.byteLength + index * layout.batchBytes
}

/** How many whole batches a file of `fileBytes` can hold; what follows them is the end marker, or a batch that was cut or is being written. */
export function wholeBatches(layout: FrameLayout, fileBytes: number): number {
  return Math.max(0, Math.floor((fileBytes - layout.schemaMessage.byteLength) / layout.batchBytes))
}

/** Whether `head` begins a batch of this layout, with a hardware time or without. Zeros (space that was allocated and never written) do not. */
export function isBatchHead(layout: FrameLayout, head: Uint8Array): boolean {
  return hasHardwareTime(layout, head) || beginsWith(layout, head, layout.batchHeadWithoutClock)
}

export function hasHardwareTime(layout: FrameLayout, head: Uint8Array): boolean {
  return beginsWith(layout, head, layout.batchHead)
}

/** Of a compressed batch that begins with `head`: head and body. 0 where its lengths cannot be: the head is damaged. */
export function compressedBytes({ batchHead, pixelOffset }: FrameLayout, compressed: CompressedLayout, head: Uint8Array): number {
  const bytes = batchHead.byteLength + lengthAt(head, compressed.bodyLengthOffset)
  const pixelBytes = compressedPixelBytes(compressed, head)
  return pixelBytes >= LENGTH_BYTES && pixelOffset + pixelBytes <= bytes ? bytes : 0
}

/** Of the pixels in a compressed batch, with the length before them. */
export function compressedPixelBytes({ pixelLengthOffset }: CompressedLayout, head: Uint8Array): number {
  return lengthAt(head, pixelLengthOffset)
}

const LENGTH_BYTES = 8

function lengthAt(head: Uint8Array, offset: number): number {
  return Number(new DataView(head.buffer, head.byteOffset).getBigInt64(offset, true))
}

/** But for the two lengths, which are each compressed batch's own. */
function beginsWith({ compressed }: FrameLayout, bytes: Uint8Array, start: Uint8Array): boolean {
  if (bytes.byteLength < start.byteLength) return false
  const holes = compressed === undefined ? [] : [compressed.bodyLengthOffset, compressed.pixelLengthOffset].sort((a, b) => a - b)
  let from = 0
  for (const hole of [...holes, start.byteLength]) {
    if (Buffer.compare(bytes.subarray(from, hole), start.subarray(from, hole)) !== 0) return false
    from = hole + LENGTH_BYTES
  }
  return true
}
