import { NotFound } from '../../core/errors.ts'
import { builder } from '../builder.ts'
import { DeviceRef, NodeRef, ParameterRef, ReadingRef } from '../refs.ts'
import { ParameterKindEnum } from './enums.ts'
import { currentReading, unitArg } from './reading.ts'

const AccessEnum = builder.enumType('Access', { values: ['READ_ONLY', 'READ_WRITE', 'WRITE_ONLY'] as const })

ParameterRef.implement({
  interfaces: [NodeRef],
  fields: (t) => ({
    device: t.field({
      type: DeviceRef,
      resolve: async ({ device }, _args, { load }) => {
        const row = await load.device.load(device.id)
        if (row === undefined) throw new NotFound(`device ${device.id}`)
        return row
      },
    }),
    name: t.string({ resolve: ({ spec }) => spec.name }),
    description: t.string({ nullable: true, resolve: ({ spec }) => spec.description }),
    kind: t.field({ type: ParameterKindEnum, resolve: ({ spec }) => spec.kind }),
    unit: t.string({ nullable: true, resolve: ({ spec }) => spec.unit ?? null }),
    minimum: t.float({ nullable: true, resolve: ({ spec }) => spec.minimum ?? null }),
    maximum: t.float({ nullable: true, resolve: ({ spec }) => spec.maximum ?? null }),
    step: t.float({ nullable: true, resolve: ({ spec }) => spec.step ?? null }),
    choices: t.stringList({ nullable: true, resolve: ({ spec }) => spec.choices ?? null }),
    access: t.field({ type: AccessEnum, resolve: ({ spec }) => spec.access }),
    reading: t.field({
      type: ReadingRef,
      nullable: true,
      args: unitArg,
      resolve: (parameter, { unit }, context) => currentReading(parameter, 'reading', unit, context),
    }),
    setpoint: t.field({
      type: ReadingRef,
      nullable: true,
      args: unitArg,
      resolve: (parameter, { unit }, context) => currentReading(parameter, 'setpoint', unit, context),
    }),
  }),
})
