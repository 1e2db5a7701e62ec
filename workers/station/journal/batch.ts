import type { LabEvent } from '../../../core/event.ts'
import type { DatasetRecord, JournalEntry } from '../../../core/journal.ts'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { Reading } from '../../../core/reading.ts'
import type { WallNs } from '../../../core/time.ts'
import { eventsOf } from './events-of.ts'
import type { EmergencyStopEntry, QueueEntry, RunEntry } from './memory.ts'
import type { StoredEntry } from './record.ts'

export type ShippedSample = { readonly deviceId: string; readonly parameter: string; readonly sequence: number; readonly reading: Reading }
export type ShippedSpec = { readonly deviceId: string; readonly spec: ParameterSpec; readonly time: WallNs }

/** A stretch of the journal as the database takes it: what a later entry overwrites is left out. */
export type Batch = {
  /** The last of each parameter, and of each unit that it had in turn. */
  readonly specs: readonly ShippedSpec[]
  readonly samples: readonly ShippedSample[]
  readonly changes: readonly Extract<JournalEntry, { type: 'change' }>[]
  /** The last of each state of a run, and its start: progress in between is of no use to a row. */
  readonly runs: readonly RunEntry[]
  /** The last record of each. */
  readonly datasets: readonly DatasetRecord[]
  readonly queue?: QueueEntry
  readonly emergencyStop?: EmergencyStopEntry
  readonly events: readonly LabEvent[]
}

export function batchOf(entries: readonly StoredEntry[], stationId: string): Batch {
  const specs = new Map<string, ShippedSpec[]>()
  const samples: ShippedSample[] = []
  const changes: Extract<JournalEntry, { type: 'change' }>[] = []
  const runs = new Map<string, RunEntry>()
  const datasets = new Map<string, DatasetRecord>()
  let queue: QueueEntry | undefined
  let emergencyStop: EmergencyStopEntry | undefined
  for (const { sequence, entry } of entries) {
    switch (entry.type) {
      case 'parameters':
        for (const spec of entry.specs) keepSpec(specs, { deviceId: entry.deviceId, spec, time: entry.time })
        break
      case 'samples':
        for (const { deviceId, parameter, reading } of entry.samples) samples.push({ deviceId, parameter, sequence, reading })
        break
      case 'change':
        changes.push(entry)
        break
      case 'run':
        // The one with the manifest says when the run started and is kept beside the progress after it.
        replaceLast(runs, `${entry.runId} ${entry.fence} ${entry.manifest === undefined ? entry.state : 'started'}`, entry)
        break
      case 'dataset':
        replaceLast(datasets, entry.dataset.id, entry.dataset)
        break
      case 'queue':
        queue = entry
        break
      case 'emergencyStop':
        emergencyStop = entry
        break
      case 'life':
      case 'command':
      case 'outcome':
      case 'event':
    }
  }
  return {
    specs: [...specs.values()].flat(),
    samples,
    changes,
    runs: [...runs.values()],
    datasets: [...datasets.values()],
    ...(queue !== undefined && { queue }),
    ...(emergencyStop !== undefined && { emergencyStop }),
    events: entries.flatMap(({ entry }) => eventsOf(entry, stationId)),
  }
}

function keepSpec(specs: Map<string, ShippedSpec[]>, next: ShippedSpec): void {
  const key = `${next.deviceId} ${next.spec.name}`
  const known = specs.get(key) ?? []
  const last = known.at(-1)
  specs.set(key, [...(last?.spec.unit === next.spec.unit ? known.slice(0, -1) : known), next])
}

/** At the place of the newest, so that the order of the last ones is kept. */
function replaceLast<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
}

export type BatchLimits = { readonly entries: number; readonly waitMs: number; weigh(entry: JournalEntry): number; readonly weight: number }

/** Gathers what comes within `waitMs` of the first, up to the limits. The source must end by itself (its signal): a wait for its next item is not cut. */
export async function* inBatches(source: AsyncIterable<StoredEntry>, limits: BatchLimits): AsyncGenerator<readonly StoredEntry[]> {
  const iterator = source[Symbol.asyncIterator]()
  const ask = (): Promise<IteratorResult<StoredEntry>> => {
    const answer = iterator.next()
    answer.catch(() => undefined) // it may fail while a batch is being shipped, and is looked at after that
    return answer
  }
  let next = ask()
  for (;;) {
    const first = await next
    if (first.done === true) return
    next = ask()
    const batch = [first.value]
    let weight = limits.weigh(first.value.entry)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), limits.waitMs)
    })
    while (batch.length < limits.entries && weight < limits.weight) {
      const more = await Promise.race([next, late])
      if (more === 'late' || more.done === true) break
      batch.push(more.value)
      weight += limits.weigh(more.value.entry)
      next = ask()
    }
    clearTimeout(timer)
    yield batch
  }
}
