import type { Driver } from '../driver.ts'

/** The drivers that there are now. Each Driver object is one version of a driver: when it changes, another object takes its place. */
export interface DriverCatalog {
  readonly drivers: readonly Driver[]
  /** What each source cannot offer, and why. */
  readonly reports: readonly SourceReport[]
  find(id: string): Driver | undefined
  /** Called after each change of `drivers` or `reports`; returns how to stop that. */
  onChange(listener: () => void): () => void
}

export type SourceReport = { readonly source: string; readonly problems: readonly string[] }

/** Where drivers come from: a list, a folder of descriptions, a plugin. */
export interface DriverSource {
  /** For people, e.g. "plugin acme-lasers". */
  readonly name: string
  readonly drivers: readonly Driver[]
  /** One sentence for each thing that is wrong with it now. */
  readonly problems: readonly string[]
  onChange(listener: () => void): () => void
}

/** Sources in order of precedence: what an earlier one has, a later one is refused by name. */
export function catalogOf(sources: readonly DriverSource[]): DriverCatalog {
  let present: Present | undefined
  const now = (): Present => {
    present ??= take(sources)
    return present
  }
  const listeners = new Listeners()
  for (const source of sources)
    source.onChange(() => {
      present = undefined
      listeners.tell()
    })
  return {
    get drivers() {
      return [...now().drivers.values()]
    },
    get reports() {
      return now().reports
    },
    find: (id) => now().drivers.get(id),
    onChange: (listener) => listeners.add(listener),
  }
}

/** A source that never changes. */
export function listed(name: string, drivers: readonly Driver[]): DriverSource {
  return { name, drivers, problems: [], onChange: () => () => undefined }
}

/** Whoever wants to hear of changes. */
export class Listeners {
  readonly #listeners = new Set<() => void>()

  add(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

type Present = { readonly drivers: ReadonlyMap<string, Driver>; readonly reports: readonly SourceReport[] }

function take(sources: readonly DriverSource[]): Present {
  const drivers = new Map<string, Driver>()
  const owners = new Map<string, string>()
  const reports = sources.map(({ name, drivers: offered, problems }) => {
    const refused: string[] = []
    for (const driver of offered) {
      const owner = owners.get(driver.id)
      if (owner === undefined) {
        owners.set(driver.id, name)
        drivers.set(driver.id, driver)
      } else refused.push(`driver ${driver.id} is refused: ${owner === name ? 'this source has it twice' : `${owner} has one of this name already`}`)
    }
    return { source: name, problems: [...problems, ...refused] }
  })
  return { drivers, reports }
}
