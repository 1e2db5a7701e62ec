import type { FrameLayout } from '../core/frame.ts'

/** Where things are in a file of frames. Every batch is equally long, so that any frame is one multiplication away and no index has to be kept. */

export function batchStart(layout: FrameLayout, index: number): number {
  return layout.schemaMessage.byteLength + index * layout.batchBytes
}

/** How many whole batches a file of `fileBytes` can hold; what follows them is the end marker, or a batch that was cut or is being written. */
export function wholeBatches(layout: FrameLayout, fileBytes: number): number {
  return Math.max(0, Math.floor((fileBytes - layout.schemaMessage.byteLength) / layout.batchBytes))
}

/** Whether `head` begins a batch of this layout, with a hardware time or without. Zeros (space that was allocated and never written) do not. */
export function isBatchHead(layout: FrameLayout, head: Uint8Array): boolean {
  return hasHardwareTime(layout, head) || beginsWith(head, layout.batchHeadWithoutClock)
}

export function hasHardwareTime(layout: FrameLayout, head: Uint8Array): boolean {
  return beginsWith(head, layout.batchHead)
}

function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.byteLength >= start.byteLength && Buffer.compare(bytes.subarray(0, start.byteLength), start) === 0
}
