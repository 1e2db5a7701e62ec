/** The answer for one event, as every client of an execution gets it: made once, as text and, for long ones, once more as bytes. */
export class SharedText {
  readonly text: string
  #tail: Buffer | undefined

  constructor(text: string) {
    this.text = text
  }

  get length(): number {
    return this.text.length
  }

  /** With the brace that closes the message of graphql-ws: what follows the client's own part of it. */
  get tail(): Buffer {
    this.#tail ??= Buffer.from(`${this.text}}`)
    return this.#tail
  }
}
