import { createHash, randomBytes } from 'node:crypto'
import { type Actor, atLeast, ROLES, type Role } from '../core/cause.ts'
import { Forbidden } from '../core/errors.ts'
import type { Database } from '../prisma/client.ts'

/** API keys start with it, so that people and secret scanners know one when they see it. */
const KEY_PREFIX = 'kg_'
const KEY_BYTES = 32 // 256 random bits: a plain hash of it is as good as a slow one
const LAST_USED_EVERY_MS = 60_000 // "last used" is for people; one write a minute is exact enough

export class Unauthenticated extends Error {
  override readonly name = 'Unauthenticated'
}

export interface Authenticator {
  readonly localUser: Actor
  /** The actor behind an Authorization header; the local user where there is none. Throws Unauthenticated for a key that is wrong, over or revoked. */
  actor(authorization: string | undefined): Promise<Actor>
}

export function createAuthenticator(database: Database, userName: string): Authenticator {
  const localUser: Actor = { id: `user:${userName}`, name: userName, role: 'ADMIN', kind: 'PERSON' }
  return {
    localUser,
    async actor(authorization) {
      if (authorization === undefined || authorization === '') return localUser
      const secret = /^Bearer (\S+)$/i.exec(authorization)?.[1]
      if (secret === undefined || !secret.startsWith(KEY_PREFIX)) throw new Unauthenticated('authorization must be "Bearer kg_…", an API key of this lab')
      const key = await database.prisma.apiKey.findUnique({ where: { secretHash: hashOf(secret) } })
      const now = new Date()
      if (key === null || key.revokedAt !== null) throw new Unauthenticated('this API key is not known, or it was revoked')
      if (key.expiresAt !== null && key.expiresAt <= now) throw new Unauthenticated(`this API key has expired at ${key.expiresAt.toISOString()}`)
      if (key.lastUsedAt === null || now.getTime() - key.lastUsedAt.getTime() > LAST_USED_EVERY_MS)
        await database.prisma.apiKey.update({ where: { id: key.id }, data: { lastUsedAt: now } })
      return { id: `key:${key.id}`, name: key.name, role: ROLES.find((role) => role === key.role) ?? 'VIEWER', kind: 'API_KEY' }
    },
  }
}

export function newSecret(): { readonly secret: string; readonly hash: string } {
  const secret = `${KEY_PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`
  return { secret, hash: hashOf(secret) }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Throws Forbidden unless the actor may do what the role may. */
export function need({ actor }: { readonly actor: Actor }, role: Role): void {
  if (!atLeast(actor.role, role)) throw new Forbidden(`${actor.name} is ${actor.role}; this needs ${role}`, role)
}

/** What each role may do, in words for people; each has what stands before it as well. */
const PERMISSIONS: Readonly<Record<Role, readonly string[]>> = {
  VIEWER: ['read'],
  OPERATOR: ['command devices', 'stop everything and release it', 'run', 'export', 'keep sessions'],
  ENGINEER: ['register devices'],
  ADMIN: ['keep API keys'],
}

export function permissionsOf(role: Role): string[] {
  return ROLES.filter((lower) => atLeast(role, lower)).flatMap((lower) => PERMISSIONS[lower])
}
