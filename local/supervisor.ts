import { type ProcessTable, writeProcessTable } from './previous-life.ts'
import { type ChildSpec, SupervisedChild } from './supervised-child.ts'

/** The children in the order of their start. Stopping goes the other way round, stage by stage. */
export class Supervisor implements AsyncDisposable {
  readonly #dataDir: string
  readonly #say: (line: string) => void
  readonly #stages: SupervisedChild[][] = []
  readonly #pids = new Map<string, number>()
  #writing: Promise<void> = Promise.resolve()
  #stopped: Promise<void> | undefined

  constructor(dataDir: string, say: (line: string) => void) {
    this.#dataDir = dataDir
    this.#say = say
  }

  /** Starts these together and waits until all of them serve. Throws CannotStart when one cannot. */
  async start(...specs: readonly ChildSpec[]): Promise<void> {
    if (this.#stopped !== undefined) return
    const options = { say: this.#say, onPid: (name: string, pid: number | undefined) => this.#keepPid(name, pid) }
    const children = specs.map((spec) => new SupervisedChild(spec, options))
    this.#stages.push(children)
    await Promise.all(children.map((child) => child.start()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** A person who cannot wait: a second Ctrl-C. */
  killAll(): void {
    for (const child of this.#stages.flat()) child.kill()
  }

  async #stop(): Promise<void> {
    // within a stage the last one named goes first: the api before the worker before the station
    for (const stage of [...this.#stages].reverse()) for (const child of [...stage].reverse()) await child.stop()
    await this.#writing
  }

  #keepPid(name: string, pid: number | undefined): void {
    if (pid === undefined) this.#pids.delete(name)
    else this.#pids.set(name, pid)
    const table: ProcessTable = { supervisor: process.pid, ...Object.fromEntries(this.#pids) }
    this.#writing = this.#writing
      .then(() => writeProcessTable(this.#dataDir, table))
      .catch((error: Error) => this.#say(`the table of processes could not be written: ${error.message}`))
  }
}
