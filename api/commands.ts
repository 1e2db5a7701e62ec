import type { CommandAnswer, CommandCall } from '../core/command.ts'
import { completeWithin, DEFAULT_ACCEPT_MS, MAX_COMPLETE_MS } from '../core/command.ts'
import { InvalidValue, Problem } from '../core/errors.ts'
import { need } from './actor.ts'
import type { Context } from './context.ts'
import { causeOf } from './context.ts'
import { deviceByGlobalId } from './devices.ts'
import type { Device } from './loaders.ts'

/** The station keeps the deadlines of a command; ours is only there so that a station which hangs does not hang the request. */
const LINK_MARGIN_MS = 1_000
const MAX_ACCEPT_MS = 60_000 // a command that may fire a minute later is a job
const MAX_CALLS = 100 // of one request: more devices than one station of any lab we know
const MAX_KEY_LENGTH = 200

export type CommandOptionsGiven = {
  readonly idempotencyKey?: string | null | undefined
  readonly acceptWithinMs?: number | null | undefined
  readonly completeWithinMs?: number | null | undefined
  readonly reason?: string | null | undefined
}
export type AddressedCall = { readonly deviceId: string; readonly call: CommandCall }
export type Commanded = { readonly answer: CommandAnswer; readonly devices: ReadonlyMap<string, Device> }

/**
 * One request to one station: checked there as a whole, then carried out, answered or refused at once. Never kept for a station that is away.
 * Throws Problems that name their device.
 */
export async function command(
  context: Context,
  given: readonly AddressedCall[],
  order: 'sequence' | 'together',
  options: CommandOptionsGiven | null | undefined,
): Promise<Commanded> {
  need(context, 'OPERATOR')
  if (given.length === 0 || given.length > MAX_CALLS) throw new InvalidValue(`${given.length} commands in one request; give 1 to ${MAX_CALLS}`, ['inputs'])
  const rows = await Promise.all(given.map(({ deviceId }) => deviceByGlobalId(deviceId, context)))
  const [first] = rows
  if (first === undefined || rows.some(({ stationId }) => stationId !== first.stationId))
    throw new InvalidValue('the devices belong to different stations, which cannot check a request together; send one for each station', ['inputs'])
  const twice = order === 'together' ? rows.find(({ id }, at) => rows.findIndex((row) => row.id === id) < at) : undefined
  if (twice !== undefined) throw new InvalidValue(`${twice.name} is named twice; what starts together goes to one place each`, ['inputs'])

  const limits = checkedOptions(options ?? {})
  const station = context.stations.get(first.stationId)
  const calls = rows.map(({ id }, at) => ({ deviceId: id, call: (given[at] as AddressedCall).call }))
  const completeMs = completeWithin(
    limits.completeWithinMs,
    calls.map(({ deviceId, call }) => ({ call, device: station.devices.get(deviceId) })),
  )
  try {
    const answer = await station.call(
      'command',
      {
        requestId: context.requestId,
        calls,
        order,
        cause: causeOf(context, options?.reason),
        acceptWithinMs: limits.acceptWithinMs,
        ...(limits.completeWithinMs !== undefined && { completeWithinMs: limits.completeWithinMs }),
        // A key is its actor's own: two people who count their requests from 1 must not get each other's answers.
        ...(options?.idempotencyKey != null && { idempotencyKey: `${context.actor.id}:${options.idempotencyKey}` }),
      },
      limits.acceptWithinMs + completeMs + LINK_MARGIN_MS,
    )
    for (const { readings } of answer.results) station.learn(readings)
    return { answer, devices: new Map(rows.map((row) => [row.id, row])) }
  } catch (error) {
    throw error instanceof Problem && error.facts.deviceId === undefined ? error.with({ deviceId: first.id, stationId: first.stationId }) : error
  }
}

function checkedOptions({ acceptWithinMs, completeWithinMs, idempotencyKey }: CommandOptionsGiven): {
  readonly acceptWithinMs: number
  readonly completeWithinMs: number | undefined
} {
  const accept = acceptWithinMs ?? DEFAULT_ACCEPT_MS
  if (accept < 1 || accept > MAX_ACCEPT_MS)
    throw new InvalidValue(`acceptWithinMs: ${accept} is not allowed; give 1 to ${MAX_ACCEPT_MS}`, ['options', 'acceptWithinMs'])
  if (completeWithinMs != null && (completeWithinMs < 1 || completeWithinMs > MAX_COMPLETE_MS))
    throw new InvalidValue(`completeWithinMs: ${completeWithinMs} is not allowed; give 1 to ${MAX_COMPLETE_MS}`, ['options', 'completeWithinMs'])
  if (idempotencyKey === '' || (idempotencyKey?.length ?? 0) > MAX_KEY_LENGTH)
    throw new InvalidValue(`idempotencyKey: give 1 to ${MAX_KEY_LENGTH} characters`, ['options', 'idempotencyKey'])
  return { acceptWithinMs: accept, completeWithinMs: completeWithinMs ?? undefined }
}
