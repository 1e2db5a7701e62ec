import { NotFound } from '../core/errors.ts'
import { isUuid } from '../core/id.ts'

/** What has a global id: base64url("<type>:<local id>"). A parameter's local id is "<device id>/<name>", all others are UUIDs. */
export const NODE_TYPES = ['Station', 'Port', 'Device', 'Parameter', 'Session', 'Run', 'Dataset', 'Job', 'Note', 'ApiKey', 'Preset'] as const
export type NodeType = (typeof NODE_TYPES)[number]

export function globalId(type: NodeType, localId: string): string {
  return Buffer.from(`${type}:${localId}`).toString('base64url')
}

export function parameterId(deviceId: string, name: string): string {
  return globalId('Parameter', `${deviceId}/${name}`)
}

/** undefined for what was never one of our ids. */
export function parseGlobalId(id: string): { readonly type: NodeType; readonly localId: string } | undefined {
  const text = Buffer.from(id, 'base64url').toString()
  const colon = text.indexOf(':')
  const type = NODE_TYPES.find((candidate) => candidate === text.slice(0, colon))
  const localId = text.slice(colon + 1)
  if (type === undefined || !isUuid(localId.slice(0, 36)) || (localId.length > 36 && (type !== 'Parameter' || localId[36] !== '/'))) return undefined
  return { type, localId }
}

/** The local id of a global id of that type. Throws NotFound, since no such thing can exist. */
export function localId(type: NodeType, id: string): string {
  const parsed = parseGlobalId(id)
  if (parsed?.type !== type) throw new NotFound(`${type.toLowerCase()} with the id ${id}`)
  return parsed.localId
}

export function localIds(type: NodeType, ids: readonly string[]): string[] {
  return ids.map((id) => localId(type, id))
}

export function splitParameterId(local: string): { readonly deviceId: string; readonly name: string } {
  return { deviceId: local.slice(0, 36), name: local.slice(37) }
}
