const SLICE_MS = 20 // how finely hold-ups are told apart: far below every time-out, and a timer costs microseconds
const HELD_UP_FROM_MS = 2 * SLICE_MS // timers of a process that runs are late by a few milliseconds

/**
 * Calls `over` once `withinMs` have passed in which this process could have heard an answer. While it is held up (a synchronous write to a busy disk, a
 * machine that gives its processors to others), what the instrument says stands unread and nobody waits: such a slice counts for no more than it was to last,
 * and after one the line is looked at before the time is up. Returns what ends the waiting.
 */
export function patience(withinMs: number, over: () => void): () => void {
  let timer: NodeJS.Timeout
  let leftMs = withinMs
  const wait = (sliceMs: number): void => {
    const fromMs = performance.now()
    timer = setTimeout(() => {
      const tookMs = performance.now() - fromMs
      const heldUp = tookMs > sliceMs + HELD_UP_FROM_MS
      const isLast = leftMs <= 0
      leftMs -= heldUp ? sliceMs : tookMs // a timer may be early, too
      if (leftMs > 0) wait(Math.min(SLICE_MS, leftMs))
      else if (heldUp && !isLast) wait(SLICE_MS)
      else over()
    }, sliceMs)
  }
  wait(Math.max(0, Math.min(SLICE_MS, withinMs)))
  return () => clearTimeout(timer)
}
