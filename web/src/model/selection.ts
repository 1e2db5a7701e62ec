export type Wanted = { readonly parameterId: string; readonly deviceId: string; readonly name: string }
export type Selector = { readonly deviceId: string; readonly names: readonly string[] }

/** Who wants which parameter, counted, so that one subscription carries what is shown and nothing else. */
export class Selection {
  readonly #wanted = new Map<string, { wanted: Wanted; holders: number }>()

  /** true if the set of parameters changed. */
  add(wanted: Wanted): boolean {
    const entry = this.#wanted.get(wanted.parameterId)
    if (entry === undefined) {
      this.#wanted.set(wanted.parameterId, { wanted, holders: 1 })
      return true
    }
    entry.holders += 1
    return false
  }

  /** true if nobody wants it any more. */
  remove(parameterId: string): boolean {
    const entry = this.#wanted.get(parameterId)
    if (entry === undefined) return false
    entry.holders -= 1
    return entry.holders <= 0 && this.#wanted.delete(parameterId)
  }

  /** One selector for each device, in a stable order, so that equal selections are equal text. */
  selectors(): Selector[] {
    const names = new Map<string, string[]>()
    for (const { wanted } of this.#wanted.values()) {
      const known = names.get(wanted.deviceId)
      if (known === undefined) names.set(wanted.deviceId, [wanted.name])
      else known.push(wanted.name)
    }
    return [...names.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([deviceId, list]) => ({ deviceId, names: list.sort() }))
  }
}
