import { uuidv7 } from '../../core/id.ts'
import type { GraphRows } from '../../graph/rows.ts'
import type { GraphSource, Subject } from '../../graph/source.ts'

/** Drivers as the catalogue describes them. */
export const DRIVERS = [
  { id: 'stage', capabilities: ['MOVABLE', 'PARAMETERIZED', 'SETTABLE'] },
  { id: 'meter', capabilities: ['READABLE', 'PARAMETERIZED'] },
] as const

export function capabilitiesOf(driverId: string): readonly string[] {
  return DRIVERS.find(({ id }) => id === driverId)?.capabilities ?? []
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
type Rows = { -readonly [Table in keyof GraphRows]: Mutable<GraphRows[Table][number]>[] }

/** A small registry in memory that tells its changes as PostgreSQL's triggers do. */
export class Registry implements GraphSource {
  readonly rows_: Rows = { stations: [], ports: [], devices: [], parameters: [], sessions: [], runs: [], uses: [] }
  readonly changes = new Map<string, { subject: Subject; id: string; version: string }>()
  believed: { graphId: string; sequence: number } | undefined
  #version = 0

  note(subject: Subject, id: string): void {
    this.#version += 1
    this.changes.set(`${subject}:${id}`, { subject, id, version: String(this.#version) })
  }

  async standing() {
    return this.believed
  }

  async setStanding(standing: { graphId: string; sequence: number }) {
    this.believed = standing
  }

  async pending(limit: number) {
    return [...this.changes.values()].slice(0, limit)
  }

  async settle(changes: readonly { subject: Subject; id: string; version: string }[], standing: { graphId: string; sequence: number }) {
    for (const { subject, id, version } of changes) if (this.changes.get(`${subject}:${id}`)?.version === version) this.changes.delete(`${subject}:${id}`)
    this.believed = standing
  }

  async rows(ids: Readonly<Partial<Record<Subject, readonly string[]>>>): Promise<GraphRows> {
    const among = (subject: Subject, id: string): boolean => ids[subject]?.includes(id) === true
    const { stations, ports, devices, parameters, sessions, runs, uses } = this.rows_
    return structuredClone({
      stations: stations.filter(({ id }) => among('station', id)),
      ports: ports.filter(({ id }) => among('port', id)),
      devices: devices.filter(({ id }) => among('device', id)),
      parameters: parameters.filter(({ deviceId }) => among('device', deviceId)),
      sessions: sessions.filter(({ id }) => among('session', id)),
      runs: runs.filter(({ id }) => among('run', id)),
      uses: uses.filter(({ runId }) => among('run', runId)),
    })
  }

  async page(subject: Subject, after: string | undefined, limit: number) {
    const { stations, ports, sessions, devices, runs } = this.rows_
    return { station: stations, port: ports, session: sessions, device: devices, run: runs }[subject]
      .map(({ id }) => id)
      .filter((id) => after === undefined || id > after)
      .sort()
      .slice(0, limit)
  }
}

/** Two stations; a port with two stages, one with a meter, an empty one; a session with a queued, a running and a finished run. */
export function smallLab(): Registry {
  const registry = new Registry()
  const rows = registry.rows_
  const id = (name: string): string => IDS[name as keyof typeof IDS]
  rows.stations.push({ id: id('here'), name: 'here', host: 'bench' }, { id: id('there'), name: 'there', host: 'roof' })
  rows.ports.push(
    { id: id('serial'), stationId: id('here'), address: 'serial:///dev/ttyUSB0', kind: 'SERIAL' },
    { id: id('usb'), stationId: id('here'), address: "usb:///it's", kind: 'USB' },
    { id: id('empty'), stationId: id('there'), address: 'tcp://10.0.0.1:502', kind: 'TCP' },
  )
  const device = { label: null, subAddress: null, simulated: false, enabled: true, removedAt: null }
  rows.devices.push(
    { ...device, id: id('x'), name: 'x', driverId: 'stage', portId: id('serial'), subAddress: '1', label: 'Strahl é' },
    { ...device, id: id('y'), name: 'y', driverId: 'stage', portId: id('serial'), subAddress: '2', simulated: true },
    { ...device, id: id('meter'), name: 'meter', driverId: 'meter', portId: id('usb'), enabled: false },
    { ...device, id: id('old'), name: 'old', driverId: 'meter', portId: id('usb'), removedAt: 1_763_000_000_123 },
  )
  for (const deviceId of [id('x'), id('y'), id('old')]) rows.parameters.push({ deviceId, name: 'position', kind: 'FLOAT', access: 'READ_WRITE', unit: 'mm' })
  rows.parameters.push({ deviceId: id('meter'), name: 'power', kind: 'FLOAT', access: 'READ_ONLY', unit: null })
  rows.sessions.push(
    { id: id('beam'), title: 'Beam', operator: 'ada', state: 'OPEN', startedAt: 1_763_000_000_000, endedAt: null },
    { id: id('past'), title: 'Past', operator: 'bob', state: 'CLOSED', startedAt: 1_762_000_000_000, endedAt: 1_762_000_100_000 },
  )
  const run = { stationId: id('here'), planType: 'linearScan', summary: 'scan', actor: 'ada', queuedAt: 1_763_000_001_000, startedAt: null, endedAt: null }
  rows.runs.push(
    { ...run, id: id('queued'), number: 3, sessionId: id('beam'), state: 'QUEUED' },
    { ...run, id: id('running'), number: 2, sessionId: id('beam'), state: 'RUNNING', startedAt: 1_763_000_002_000 },
    { ...run, id: id('done'), number: 1, sessionId: id('past'), state: 'COMPLETED', startedAt: 1_762_000_000_001, endedAt: 1_762_000_000_002 },
  )
  rows.uses.push(
    { runId: id('queued'), deviceId: id('x'), role: 'axis' },
    { runId: id('queued'), deviceId: id('meter'), role: 'detector' },
    { runId: id('running'), deviceId: id('meter'), role: 'detector' },
    { runId: id('running'), deviceId: id('meter'), role: 'monitor' },
    { runId: id('done'), deviceId: id('old'), role: 'detector' },
  )
  return registry
}

const PREFIX = uuidv7().slice(0, 24)
/** Their ids are in this order, as ids are in that of their making. */
const NAMES = ['here', 'there', 'serial', 'usb', 'empty', 'x', 'y', 'meter', 'old', 'beam', 'past', 'queued', 'running', 'done'] as const
export const IDS = Object.fromEntries(NAMES.map((name, at) => [name, `${PREFIX}${String(at).padStart(12, '0')}`])) as Readonly<
  Record<(typeof NAMES)[number], string>
>
