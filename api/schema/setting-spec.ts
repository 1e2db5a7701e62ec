import type { SettingSpec } from '../../core/parameter.ts'
import { builder } from '../builder.ts'
import { ParameterKindEnum } from './enums.ts'

export const SettingSpecRef = builder.objectRef<SettingSpec>('SettingSpec').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    kind: t.field({ type: ParameterKindEnum, resolve: ({ kind }) => kind }),
    unit: t.string({ nullable: true, resolve: ({ unit }) => unit ?? null }),
    default: t.string({ nullable: true, resolve: (spec) => spec.default ?? null }),
    required: t.exposeBoolean('required'),
    description: t.string({ nullable: true, resolve: ({ description }) => description }),
    minimum: t.float({ nullable: true, description: 'In `unit`.', resolve: ({ minimum }) => minimum ?? null }),
    maximum: t.float({ nullable: true, resolve: ({ maximum }) => maximum ?? null }),
    choices: t.stringList({ nullable: true, resolve: ({ choices }) => choices ?? null }),
  }),
})
