import type { FrameLayout } from '../core/frame.ts'

/** Where things are in a file of frames. Every batch is equally long, so that any frame is one multiplication away and no index has to be kept. */

export function batchStart(layout: FrameLayout, index: number): number {
  return layout.schemaMessage.byteLength + index * layout.batchBytes
}

/** How many whole batches a file of `fileBytes` can hold; what follows them is the end marker, or a batch that was cut or is being written. */
export function wholeBatches(layout: FrameLayout, fileBytes: number): number {
  return Math.max(0, Math.floor((fileBytes - layout.schemaMessage.byteLength) / layout.batchBytes))
}

/** Whether `head` begins a batch of this layout. Zeros (space that was allocated and never written) do not. */
export function isBatchHead(layout: FrameLayout, head: Uint8Array): boolean {
  return head.byteLength >= layout.batchHead.byteLength && layout.batchHead.every((byte, at) => head[at] === byte)
}
