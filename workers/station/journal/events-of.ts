import type { LabEvent } from '../../../core/event.ts'
import type { JournalEntry } from '../../../core/journal.ts'
import type { ParameterValue } from '../../../core/reading.ts'
import { hasEnded } from '../../../core/run.ts'
import { storeReading } from '../../../core/stored-reading.ts'

/** What of a journal entry belongs into the feed that people read. Readings, commands and progress do not. */
export function eventsOf(entry: JournalEntry, stationId: string): readonly LabEvent[] {
  switch (entry.type) {
    case 'event':
      return [entry.event]
    case 'change':
      return [changed(entry)]
    case 'run':
      return runEvents(entry)
    case 'dataset':
      return datasetEvents(entry)
    case 'queue':
      return [
        {
          time: entry.time,
          kind: 'STATION',
          subject: { type: 'Station', id: stationId },
          summary: entry.held ? `The run queue is held${because(entry.reason)}` : 'The run queue goes on',
          data: { held: entry.held },
        },
      ]
    case 'emergencyStop': {
      const { active, by, reason, at } = entry.state
      if (at === undefined) return []
      const summary = `${active ? 'Emergency stop' : 'Emergency stop released'}${by === undefined ? '' : ` by ${by}`}${because(reason)}`
      return [{ time: at, kind: 'EMERGENCY_STOP', subject: { type: 'Station', id: stationId }, summary, data: { active } }]
    }
    case 'life':
      if (entry.afterLoss !== true) return []
      return [
        {
          time: entry.time,
          kind: 'STATION',
          subject: { type: 'Station', id: stationId },
          summary: 'The station is back: it was lost, and did not end in order',
          data: { afterLoss: true },
        },
      ]
    case 'command':
    case 'outcome':
    case 'parameters':
    case 'samples':
      return []
  }
}

function changed({ time, deviceId, parameter, unit, old, new: next, cause }: Extract<JournalEntry, { type: 'change' }>): LabEvent {
  const from = old?.value === undefined ? '' : `${shown(old.value)} → `
  return {
    time,
    kind: 'PARAMETER',
    subject: { type: 'Device', id: deviceId },
    deviceId,
    ...(cause.sessionId !== undefined && { sessionId: cause.sessionId }),
    ...(cause.runId !== undefined && { runId: cause.runId }),
    summary: `${parameter}: ${from}${shown(next.value)}${unit === undefined ? '' : ` ${unit}`}`,
    cause,
    data: { parameter, ...(old !== undefined && { old: storeReading(old) }), new: storeReading(next) },
  }
}

function runEvents({ time, runId, state, points, exitReason, problem, cause, sessionId, number }: Extract<JournalEntry, { type: 'run' }>): readonly LabEvent[] {
  const started = state === 'RUNNING' && points === 0
  if (!started && !hasEnded(state)) return []
  const reason = problem?.message ?? exitReason
  const what = started ? 'started' : `${state.toLowerCase()} after ${points} points${because(state === 'COMPLETED' ? undefined : reason)}`
  return [
    {
      time,
      kind: 'RUN',
      subject: { type: 'Run', id: runId },
      runId,
      ...(sessionId !== undefined && { sessionId }),
      ...(cause !== undefined && { cause }),
      summary: `Run ${number === undefined ? '' : `${number} `}${what}`,
      data: { state, points },
    },
  ]
}

function datasetEvents({ time, dataset }: Extract<JournalEntry, { type: 'dataset' }>): readonly LabEvent[] {
  const { id, name, state, rows, dropped, runId, sessionId, deviceId, completedAt } = dataset
  if (state === 'RECORDING' || completedAt !== time) return [] // later lines only add a checksum
  return [
    {
      time,
      kind: 'DATASET',
      subject: { type: 'Dataset', id },
      ...(runId !== undefined && { runId }),
      ...(sessionId !== undefined && { sessionId }),
      ...(deviceId !== undefined && { deviceId }),
      summary: `Dataset ${name} is ${state.toLowerCase()}: ${rows} rows${dropped > 0 ? `, ${dropped} dropped` : ''}`,
      data: { state, rows, dropped },
    },
  ]
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`
}

const SHOWN_CHARACTERS = 80 // of one value in a line of the feed

function shown(value: ParameterValue | undefined): string {
  const text = value === undefined ? '?' : typeof value === 'object' ? `[${value.length} values]` : String(value)
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}
