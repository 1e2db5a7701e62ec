import { Conflict, InvalidValue, NotFound } from '../../core/errors.ts'
import { formatRfc3339, type WallNs } from '../../core/time.ts'
import type { Context } from '../context.ts'
import { localId } from '../global-id.ts'
import { manifestOfRun, manifestOfSession } from '../manifest.ts'
import { nowNs } from '../now.ts'
import { presetState } from './preset.ts'
import { pastState, presentState, type Snapshot, snapshot } from './snapshot.ts'

/** A StateRef as GraphQL gives it: exactly one of them. */
export type StateRefGiven = {
  readonly sessionId?: string | null | undefined
  readonly runId?: string | null | undefined
  readonly at?: WallNs | null | undefined
  readonly presetId?: string | null | undefined
  readonly now?: boolean | null | undefined
}

/** The state that is meant. Throws NotFound, InvalidValue, or Conflict for a run that has not started. */
export async function stateOf(ref: StateRefGiven, deviceIds: readonly string[] | undefined, context: Context): Promise<Snapshot> {
  const { sessionId, runId, at, presetId } = ref
  if (at != null) return stateAt(at, deviceIds, context)
  if (sessionId != null) {
    const session = await context.load.session.load(localId('Session', sessionId))
    if (session === undefined) throw new NotFound(`session with the id ${sessionId}`)
    const { takenAt, parameters } = manifestOfSession(session)
    return limitedTo(snapshot(takenAt, parameters), deviceIds)
  }
  if (runId != null) {
    const run = await context.load.run.load(localId('Run', runId))
    if (run === undefined) throw new NotFound(`run with the id ${runId}`)
    const manifest = manifestOfRun(run)
    if (manifest === null) throw new Conflict(`run ${run.number} has not started: the lab has no state at its start yet`, { runId: run.id })
    return limitedTo(snapshot(manifest.takenAt, manifest.parameters), deviceIds)
  }
  if (presetId != null) {
    const preset = await context.load.preset.load(localId('Preset', presetId))
    if (preset === undefined) throw new NotFound(`preset with the id ${presetId}`)
    return limitedTo(presetState(preset), deviceIds)
  }
  if (ref.now !== true) throw new InvalidValue('now: the only value is true', ['now'])
  return presentState(deviceIds, context)
}

/** The present where no moment is given. */
export async function stateAt(at: WallNs | undefined, deviceIds: readonly string[] | undefined, context: Context): Promise<Snapshot> {
  if (at === undefined) return presentState(deviceIds, context)
  if (at > nowNs()) throw new InvalidValue(`at: ${formatRfc3339(at)} is in the future`, ['at'])
  return pastState(at, deviceIds, context)
}

/** Local ids of devices, also removed ones; undefined for all. Throws NotFound. */
export async function chosenDevices(ids: readonly string[] | null | undefined, { load }: Pick<Context, 'load'>): Promise<readonly string[] | undefined> {
  if (ids == null) return undefined
  return Promise.all(
    ids.map(async (id) => {
      const device = await load.device.load(localId('Device', id))
      if (device === undefined) throw new NotFound(`device with the id ${id}`)
      return device.id
    }),
  )
}

function limitedTo(state: Snapshot, deviceIds: readonly string[] | undefined): Snapshot {
  if (deviceIds === undefined) return state
  return { ...state, values: new Map([...state.values].filter(([, { deviceId }]) => deviceIds.includes(deviceId))) }
}
