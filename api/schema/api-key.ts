import { ROLES } from '../../core/cause.ts'
import { InvalidValue, NotFound } from '../../core/errors.ts'
import { dateFromWallNs } from '../../core/time.ts'
import { appendEvents } from '../../prisma/events.ts'
import { need, newSecret } from '../actor.ts'
import { builder } from '../builder.ts'
import { type Context, causeOf } from '../context.ts'
import { globalId, localId } from '../global-id.ts'
import type { ApiKey } from '../loaders.ts'
import { nowNs } from '../now.ts'
import { RoleEnum } from './enums.ts'
import { answer, resultUnion } from './problem.ts'

const MAX_NAME_LENGTH = 100 // it stands in the history as who did it

export const ApiKeyRef = builder.objectRef<ApiKey>('ApiKey').implement({
  fields: (t) => ({
    id: t.id({ resolve: ({ id }) => globalId('ApiKey', id) }),
    name: t.exposeString('name'),
    role: t.field({ type: RoleEnum, resolve: ({ role }) => ROLES.find((known) => known === role) ?? 'VIEWER' }),
    createdAt: t.field({ type: 'Time', resolve: ({ createdAt }) => createdAt }),
    expiresAt: t.field({ type: 'Time', nullable: true, resolve: ({ expiresAt }) => expiresAt }),
    lastUsedAt: t.field({ type: 'Time', nullable: true, description: 'To the minute.', resolve: ({ lastUsedAt }) => lastUsedAt }),
  }),
})

type ApiKeyPayload = { readonly apiKey: ApiKey; readonly secret?: string }
const ApiKeyPayloadRef = builder.objectRef<ApiKeyPayload>('ApiKeyPayload').implement({
  fields: (t) => ({
    apiKey: t.field({ type: ApiKeyRef, resolve: ({ apiKey }) => apiKey }),
    secret: t.string({ nullable: true, description: 'Shown once, when the key is made.', resolve: ({ secret }) => secret ?? null }),
  }),
})
const ApiKeyResult = resultUnion('ApiKeyResult', ApiKeyPayloadRef, ['INVALID_VALUE', 'NOT_FOUND', 'FORBIDDEN'])

const ApiKeyInputRef = builder.inputType('ApiKeyInput', {
  fields: (t) => ({ name: t.string({ required: true }), role: t.field({ type: RoleEnum, required: true }), expiresAt: t.field({ type: 'Time' }) }),
})

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: ApiKeyResult,
    args: { input: t.arg({ type: ApiKeyInputRef, required: true }) },
    resolve: (_root, { input }, context) => answer(() => create(input, context)),
  }),
  revokeApiKey: t.field({
    type: ApiKeyResult,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => answer(() => revoke(id, context)),
  }),
}))

async function create({ name, role, expiresAt }: typeof ApiKeyInputRef.$inferInput, context: Context): Promise<ApiKeyPayload> {
  need(context, 'ADMIN')
  if (name.trim() === '' || name.length > MAX_NAME_LENGTH) throw new InvalidValue(`name: give 1 to ${MAX_NAME_LENGTH} characters`, ['input', 'name'])
  if (expiresAt != null && expiresAt <= nowNs()) throw new InvalidValue('expiresAt: give a moment that is still to come', ['input', 'expiresAt'])
  const { secret, hash } = newSecret()
  const apiKey = await context.database.prisma.$transaction(async (tx) => {
    const row = await tx.apiKey.create({
      data: {
        name: name.trim(),
        role,
        secretHash: hash,
        createdBy: context.actor.name,
        createdAt: new Date(),
        ...(expiresAt != null && { expiresAt: dateFromWallNs(expiresAt) }),
      },
    })
    await appendEvents(tx, [{ time: nowNs(), kind: 'AUDIT', summary: `${context.actor.name} made the API key ${row.name} (${role})`, cause: causeOf(context) }])
    return row
  })
  return { apiKey, secret }
}

async function revoke(id: string, context: Context): Promise<ApiKeyPayload> {
  need(context, 'ADMIN')
  const keyId = localId('ApiKey', id)
  return context.database.prisma.$transaction(async (tx) => {
    const { count } = await tx.apiKey.updateMany({ where: { id: keyId, revokedAt: null }, data: { revokedAt: new Date() } })
    if (count === 0) throw new NotFound('API key with that id that still works')
    const apiKey = await tx.apiKey.findUniqueOrThrow({ where: { id: keyId } })
    await appendEvents(tx, [{ time: nowNs(), kind: 'AUDIT', summary: `${context.actor.name} revoked the API key ${apiKey.name}`, cause: causeOf(context) }])
    return { apiKey }
  })
}
