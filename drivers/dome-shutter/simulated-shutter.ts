/** The shutter itself, and what its relays and end switches do. Time is given to it. */
export class SimulatedShutter {
  /** Nothing moves, whatever is switched. */
  stuck = false
  /** A broken cable: both end switches say that they are pressed. */
  bothPressed = false
  readonly #travelSeconds: number
  readonly #outputs: boolean[] = new Array<boolean>(SWITCHES).fill(false)
  /** When a switch goes back by itself. */
  readonly #backAt: (number | undefined)[] = []
  /** 0 closed, 1 open. */
  #position: number
  #atSeconds: number | undefined

  constructor(options: { readonly travelSeconds?: number; readonly position?: number } = {}) {
    this.#travelSeconds = options.travelSeconds ?? 12
    this.#position = options.position ?? 0
  }

  /** Returns whether it was on; undefined: there is no such switch. */
  set(id: number, on: boolean, toggleAfterSeconds: number | undefined, seconds: number): boolean | undefined {
    this.advance(seconds)
    const was = this.#outputs[id]
    if (was === undefined) return undefined
    this.#outputs[id] = on
    this.#backAt[id] = toggleAfterSeconds === undefined ? undefined : seconds + toggleAfterSeconds
    return was
  }

  output(id: number, seconds: number): boolean | undefined {
    this.advance(seconds)
    return this.#outputs[id]
  }

  /** Of the end switches: 0 at open, 1 at closed; nothing is wired to the others. */
  input(id: number, seconds: number): boolean | undefined {
    this.advance(seconds)
    if (id !== OPEN && id !== CLOSED) return Number.isInteger(id) && id >= 0 && id < INPUTS ? false : undefined
    return this.bothPressed || (id === OPEN ? this.#position >= 1 : this.#position <= 0)
  }

  get position(): number {
    return this.#position
  }

  advance(seconds: number): void {
    let from = this.#atSeconds ?? seconds
    this.#atSeconds = Math.max(from, seconds)
    for (;;) {
      const next = Math.min(...this.#backAt.map((at) => at ?? Number.POSITIVE_INFINITY), seconds)
      this.#move(next - from)
      from = Math.max(from, next)
      const id = this.#backAt.findIndex((at) => at !== undefined && at <= from)
      if (id === -1) return
      this.#backAt[id] = undefined
      this.#outputs[id] = !this.#outputs[id]
    }
  }

  #move(seconds: number): void {
    const [supply, motor, first, second] = this.#outputs
    if (seconds <= 0 || this.stuck || supply !== true || motor !== true || first !== second) return
    const way = (seconds / this.#travelSeconds) * (first === true ? 1 : -1)
    this.#position = Math.min(1, Math.max(0, this.#position + way)) // the end switches cut the motor, too
  }
}

const SWITCHES = 4
const INPUTS = 4
const OPEN = 0
const CLOSED = 1
