import type { Socket } from 'node:net'

/** What is sent to one client, in order: what follows a late answer is later still. */
export class OrderedAnswers {
  readonly #client: Socket
  readonly #waiting: { readonly atMs: number; readonly bytes: Uint8Array }[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(client: Socket) {
    this.#client = client
  }

  send(bytes: Uint8Array, afterMs: number): void {
    const freeAtMs = Math.max(performance.now(), this.#waiting.at(-1)?.atMs ?? 0)
    this.#waiting.push({ atMs: freeAtMs + afterMs, bytes })
    if (this.#timer === undefined) this.#deliver()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
  }

  #deliver(): void {
    for (let [first] = this.#waiting; first !== undefined && first.atMs <= performance.now(); [first] = this.#waiting) {
      this.#client.write(first.bytes)
      this.#waiting.shift()
    }
    const [next] = this.#waiting
    this.#timer = next && setTimeout(() => this.#deliver(), next.atMs - performance.now())
  }
}
