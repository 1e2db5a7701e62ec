import type { DatasetRecord, JournalEntry } from '../../../core/journal.ts'
import { hasEnded } from '../../../core/run.ts'

export type RunEntry = Extract<JournalEntry, { type: 'run' }>
export type QueueEntry = Extract<JournalEntry, { type: 'queue' }>
export type LifeEntry = Extract<JournalEntry, { type: 'life' }>
export type EmergencyStopEntry = Extract<JournalEntry, { type: 'emergencyStop' }>

/** What must survive the deletion of the segment it was written in. */
export type MemoryState = {
  readonly queue?: QueueEntry
  readonly emergencyStop?: EmergencyStopEntry
  readonly life?: LifeEntry
  /** Not ended. */
  readonly runs: readonly RunEntry[]
  /** Still RECORDING. */
  readonly datasets: readonly DatasetRecord[]
}

/** What the station itself must know after a restart, folded from its journal: it may start while the database is away. */
export class StationMemory {
  #queue: QueueEntry | undefined
  #emergencyStop: EmergencyStopEntry | undefined
  #life: LifeEntry | undefined
  readonly #runs = new Map<string, RunEntry>()
  readonly #datasets = new Map<string, DatasetRecord>()

  get queue(): QueueEntry | undefined {
    return this.#queue
  }

  get emergencyStop(): EmergencyStopEntry | undefined {
    return this.#emergencyStop
  }

  /** The last life that began, or ended. */
  get life(): LifeEntry | undefined {
    return this.#life
  }

  /** The last entry of each run that has not ended. */
  get activeRuns(): readonly RunEntry[] {
    return [...this.#runs.values()]
  }

  /** The last record of each dataset that is still being recorded. */
  get openDatasets(): readonly DatasetRecord[] {
    return [...this.#datasets.values()]
  }

  apply(entry: JournalEntry): void {
    switch (entry.type) {
      case 'queue':
        this.#queue = entry
        return
      case 'emergencyStop':
        this.#emergencyStop = entry
        return
      case 'life':
        this.#life = entry
        return
      case 'run': {
        const { manifest: _shipped, ...rest } = entry // large, and of no use to whoever recovers the run
        if (hasEnded(entry.state)) this.#runs.delete(entry.runId)
        else this.#runs.set(entry.runId, rest)
        return
      }
      case 'dataset':
        if (entry.dataset.state === 'RECORDING') this.#datasets.set(entry.dataset.id, entry.dataset)
        else this.#datasets.delete(entry.dataset.id)
    }
  }

  state(): MemoryState {
    return {
      ...(this.#queue !== undefined && { queue: this.#queue }),
      ...(this.#emergencyStop !== undefined && { emergencyStop: this.#emergencyStop }),
      ...(this.#life !== undefined && { life: this.#life }),
      runs: this.activeRuns,
      datasets: this.openDatasets,
    }
  }

  restore({ queue, emergencyStop, life, runs, datasets }: MemoryState): void {
    this.#life = life
    this.#queue = queue
    this.#emergencyStop = emergencyStop
    for (const run of runs) this.#runs.set(run.runId, run)
    for (const dataset of datasets) this.#datasets.set(dataset.id, dataset)
  }
}
