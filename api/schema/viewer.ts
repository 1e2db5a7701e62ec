import type { Actor } from '../../core/cause.ts'
import { permissionsOf } from '../actor.ts'
import { builder } from '../builder.ts'
import { ApiKeyRef } from './api-key.ts'
import { RoleEnum } from './enums.ts'

const ViewerRef = builder.objectRef<Actor>('Viewer').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    role: t.field({ type: RoleEnum, resolve: ({ role }) => role }),
    permissions: t.stringList({ resolve: ({ role }) => permissionsOf(role) }),
    apiKeys: t.field({
      type: [ApiKeyRef],
      description: 'Those that work; only an ADMIN sees them.',
      resolve: ({ role }, _args, { database: { prisma } }) =>
        role === 'ADMIN' ? prisma.apiKey.findMany({ where: { revokedAt: null }, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] }) : [],
    }),
  }),
})

builder.queryField('viewer', (t) => t.field({ type: ViewerRef, nullable: true, resolve: (_root, _args, { actor }) => actor }))
