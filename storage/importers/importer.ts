import type { DatasetColumn } from '../../core/dataset.ts'
import type { DeviceSettings } from '../../core/device.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { ImportFormat } from '../../core/import.ts'
import { type ReadTime, timesOfZone } from '../../core/local-time.ts'
import type { RowCell } from '../../core/row.ts'
import type { WallNs } from '../../core/time.ts'

/** What a file holds, whoever wrote it, in our words. */
export interface Imported extends AsyncDisposable {
  readonly sessions: readonly ImportedSession[]
  readonly tables: readonly ImportedTable[]
  readonly devices: readonly ProposedDevice[]
  /** For people: what was found and left out, and why. */
  readonly notes: readonly string[]
}

export type ImportedSession = {
  /** The same session has the same key in whatever file it stands. */
  readonly key: string
  readonly title: string
  readonly startedAt: WallNs
  readonly endedAt?: WallNs
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, unknown>>
  /** Rows of tables of the same file that were recorded in it. */
  readonly recorded?: readonly { readonly table: string; readonly firstRow: number; readonly lastRow: number }[]
}

export type ImportedTable = {
  readonly name: string
  readonly columns: readonly DatasetColumn[]
  /** Of the session that it belongs to. */
  readonly sessionKey?: string
  /** Throws InvalidValue that names the row. May be read once. */
  rows(): Iterable<readonly RowCell[]>
  /** How many, for progress; a hint. */
  readonly expectedRows: number
  /** What of it belongs into the feed. */
  readonly events?: readonly ImportedEvent[]
}

export type ImportedEvent = { readonly time: WallNs; readonly summary: string; readonly data: Readonly<Record<string, unknown>> }

/** A device as another program knew it. `where`: the line or key of the file. */
export type ProposedDevice = {
  readonly where: string
  readonly name: string
  readonly label?: string
  readonly driverId: string
  readonly settings: DeviceSettings
  /** What a person should look at. */
  readonly warnings: readonly string[]
}

export type ImportFile = {
  readonly path: string
  /** As people call it, for messages. */
  readonly name: string
  /** An empty folder that is removed afterwards. */
  readonly scratch: string
  readonly timeZone: string | undefined
}

/** One file each in this folder, listed in index.ts. */
export type Importer = {
  readonly id: ImportFormat
  readonly label: string
  /** Throws InvalidValue: the file, the line or row, and what is allowed. */
  read(file: ImportFile): Promise<Imported>
}

const NOTHING = { sessions: [], tables: [], devices: [], notes: [] }

export function imported(parts: Partial<Imported>): Imported {
  return { ...NOTHING, [Symbol.asyncDispose]: () => Promise.resolve(), ...parts }
}

/** Times of a program that writes them without a zone. Throws InvalidValue where nobody said which. */
export function timesOf({ name, timeZone }: ImportFile): ReadTime {
  if (timeZone === undefined)
    throw new InvalidValue(`${name} has times without a zone; say which clock wrote them, e.g. ?timeZone=Europe/Paris after the path`, ['input', 'url'])
  return timesOfZone(timeZone)
}

/** A warning, where a serial port has a name that another instrument may have tomorrow. */
export function unstablePath(port: unknown): readonly string[] {
  const unstable = /^\/dev\/tty(USB|ACM)\d+$/.test(String(port))
  return unstable ? [`${String(port)} may be another instrument after a restart; choose a path below /dev/serial/by-id`] : []
}

export function refuse(file: ImportFile, where: string, why: string): never {
  throw new InvalidValue(`${file.name}, ${where}: ${why}`, ['input', 'url'])
}
