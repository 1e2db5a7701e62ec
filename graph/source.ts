import type { GraphRows } from './rows.ts'

/** The nodes that have a row of their own in PostgreSQL; each row's change is told by its id. In the order in which they need each other. */
export const SUBJECTS = ['station', 'port', 'session', 'device', 'run'] as const
export type Subject = (typeof SUBJECTS)[number]

/** A change that is not in the graph yet. `version` differs after each further change of the same subject. */
export type PendingChange = { readonly subject: Subject; readonly id: string; readonly version: string }

/** How far the database believes a graph to be. */
export type Standing = { readonly graphId: string; readonly sequence: number }

/** PostgreSQL, as the projector sees it. */
export interface GraphSource {
  /** undefined: no graph was ever made of this database. */
  standing(): Promise<Standing | undefined>
  setStanding(standing: Standing): Promise<void>
  /** At most `limit`; stations before ports, sessions and devices before runs. */
  pending(limit: number): Promise<readonly PendingChange[]>
  /** Together: these changes are in the graph, which stands there now. One that came again meanwhile stays. */
  settle(changes: readonly PendingChange[], standing: Standing): Promise<void>
  /** What is there of them. Devices with their parameters, runs with the devices they use. */
  rows(ids: Readonly<Partial<Record<Subject, readonly string[]>>>): Promise<GraphRows>
  /** The next ids of all there are, in their order. */
  page(subject: Subject, after: string | undefined, limit: number): Promise<readonly string[]>
}
