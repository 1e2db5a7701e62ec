import type { CommandSpec } from '../../core/command-spec.ts'
import { builder } from '../builder.ts'
import { ParameterKindEnum } from './enums.ts'
import { SettingSpecRef } from './setting-spec.ts'

export const CommandSpecRef = builder.objectRef<CommandSpec>('CommandSpec').implement({
  description: 'Something that a device does beside being set and moved; `invoke` does it.',
  fields: (t) => ({
    name: t.exposeString('name'),
    description: t.exposeString('description'),
    arguments: t.field({ type: [SettingSpecRef], resolve: (spec) => spec.arguments }),
    result: t.field({ type: ParameterKindEnum, nullable: true, description: 'What it answers with.', resolve: ({ result }) => result ?? null }),
  }),
})
