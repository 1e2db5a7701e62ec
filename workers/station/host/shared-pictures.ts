import type { FrameMark, FramePicture, FrameView } from '../../../core/frame.ts'
import { Turns } from '../../../core/turns.ts'
import type { FrameFacet } from '../../../drivers/driver.ts'

/** One view of one camera, for as long as it is in use. */
export interface SharedView extends Disposable {
  /** The newest picture, unless it is the one of `after`. */
  newest(after: FrameMark | undefined): Promise<FramePicture | undefined>
}

/**
 * Views of cameras: each picture is made once, however many look at it, at whatever rates. Of each view one picture is kept. One is made after the other, so that
 * eyes never take more than one thread of those that also write the journal.
 */
export class SharedPictures {
  readonly #cameras = new WeakMap<FrameFacet, Map<string, Pictures>>()
  readonly #turns = new Turns()

  use(camera: FrameFacet, view: FrameView): SharedView {
    const views = this.#cameras.get(camera) ?? new Map<string, Pictures>()
    this.#cameras.set(camera, views)
    const key = JSON.stringify(view)
    const pictures = views.get(key) ?? new Pictures(camera, view, this.#turns)
    views.set(key, pictures)
    pictures.users += 1
    return {
      newest: (after) => pictures.newest(after),
      [Symbol.dispose]() {
        pictures.users -= 1
        if (pictures.users === 0) views.delete(key)
      },
    }
  }
}

class Pictures {
  users = 0
  readonly #camera: FrameFacet
  readonly #view: FrameView
  readonly #turns: Turns
  #newest: FramePicture | undefined
  #looking: Promise<void> | undefined

  constructor(camera: FrameFacet, view: FrameView, turns: Turns) {
    this.#camera = camera
    this.#view = view
    this.#turns = turns
  }

  async newest(after: FrameMark | undefined): Promise<FramePicture | undefined> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
    const mark = this.#newest?.mark
    return mark?.stream === after?.stream && mark?.sequence === after?.sequence ? undefined : this.#newest
  }

  async #look(): Promise<void> {
    this.#newest = (await this.#turns.take(() => this.#camera.tap(this.#view, this.#newest?.mark))) ?? this.#newest
  }
}
