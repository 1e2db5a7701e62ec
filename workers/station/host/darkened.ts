import type { Cause } from '../../../core/cause.ts'
import { asProblem, HardwareFault } from '../../../core/errors.ts'
import type { Measured, Reading } from '../../../core/reading.ts'
import type { Clock } from '../../../core/time.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import { deadline, orAbort } from './deadline.ts'
import type { Writer } from './hosted-device.ts'

/** What lets light out, as it was before a stop that may have ended it, and who stopped: what differs afterwards is a change with that cause. */
export type Darkened = { readonly before: ReadonlyMap<string, Reading>; readonly cause: Cause }

const LOOK_WITHIN_MS = 1_000 // before a device is made safe; what does not answer by then is made safe unseen

/** The parameters that an emergency stop or makeSafe changes without a set. */
function lightOf({ shutter, emission }: Pick<DeviceHandle, 'shutter' | 'emission'>): readonly string[] {
  return [...new Set([shutter, emission].flatMap((facet) => (facet === undefined ? [] : [facet.parameter])))]
}

/** From the instrument; without what it does not tell. Never throws: whatever comes next is safer than what is. */
export async function lookAtLight(handle: DeviceHandle, clock: Clock, connection: AbortSignal): Promise<ReadonlyMap<string, Reading>> {
  const names = lightOf(handle)
  if (names.length === 0) return new Map()
  using limit = deadline(connection, LOOK_WITHIN_MS, () => new HardwareFault(`no answer within ${LOOK_WITHIN_MS} ms`, 'NONE'))
  const measured = await orAbort(handle.read(names, limit.signal), limit.signal).catch((): ReadonlyMap<string, Measured> => new Map())
  const time = clock.wallNs()
  return new Map(
    [...measured].flatMap(([name, one]): (readonly [string, Reading])[] =>
      'bad' in one ? [] : [[name, { time, quality: one.quality ?? 'GOOD', value: one.value }]],
    ),
  )
}

export type DarkeningParts = {
  readonly reading: (name: string) => Reading | undefined
  readonly readNow: (names: readonly string[], signal: AbortSignal) => Promise<unknown>
  readonly noteChange: (name: string, old: Reading, next: Reading, writer: Writer) => void
  readonly log: (line: string) => void
}

/** Of one device: journals with its cause what a stop has darkened. */
export class Darkening {
  readonly #parts: DarkeningParts

  constructor(parts: DarkeningParts) {
    this.#parts = parts
  }

  /** What is known of what lets light out. */
  known(handle: DeviceHandle): ReadonlyMap<string, Reading> {
    return new Map(
      lightOf(handle).flatMap((name) => {
        const reading = this.#parts.reading(name)
        return reading?.value === undefined ? [] : [[name, reading] as const]
      }),
    )
  }

  /** Once what may be dark was read again. Of what was not known before nobody can say that it has changed. */
  note({ before, cause }: Darkened): void {
    for (const [name, old] of before) {
      const next = this.#parts.reading(name)
      if (next?.value !== undefined && old.value !== undefined && next.value !== old.value) this.#parts.noteChange(name, old, next, { cause })
    }
  }

  /** In the background, once the instrument has confirmed the stop, or nobody waits for that any more. */
  async noteAfter(confirmed: Promise<unknown>, darkened: Darkened, connection: AbortSignal): Promise<void> {
    await confirmed.catch(() => undefined) // whoever stopped is told
    const names = [...darkened.before.keys()]
    if (names.length === 0) return
    try {
      await this.#parts.readNow(names, connection)
      this.note(darkened)
    } catch (error) {
      if (!connection.aborted) this.#parts.log(asProblem(error).message)
    }
  }
}
