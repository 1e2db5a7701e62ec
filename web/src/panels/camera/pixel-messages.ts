import type { Frame } from '../../model/frame-header.ts'
import type { HistogramSummary } from '../../model/histogram.ts'
import type { Levels } from '../../model/levels.ts'

/** What the page tells its worker for pixels. */
export type ToPixelWorker =
  | { readonly kind: 'connect'; readonly id: number; readonly url: string; readonly protocol: string }
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'disconnect' }
  /** The last frame is on the screen: the next may come. */
  | { readonly kind: 'next' }
  /** Set by hand, for the axis of the histogram; undefined: automatic. */
  | { readonly kind: 'levels'; readonly levels: Levels | undefined }

export type FromPixelWorker =
  /** `received`: frames that reached this page, `skipped`: those that did not, or were not given to be drawn; both since the connection began. */
  | { readonly kind: 'frame'; readonly frame: Frame; readonly received: number; readonly skipped: number }
  | { readonly kind: 'histogram'; readonly summary: HistogramSummary }
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly message: string }
  | { readonly kind: 'closed'; readonly id: number; readonly reason: string; readonly received: number }
