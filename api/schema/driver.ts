import type { DriverDescription } from '../../link/protocol.ts'
import { builder } from '../builder.ts'
import { CapabilityEnum } from './enums.ts'
import { SettingSpecRef } from './setting-spec.ts'

export const DriverRef = builder.objectRef<DriverDescription>('Driver').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    model: t.exposeString('model'),
    vendor: t.exposeString('vendor'),
    capabilities: t.field({ type: [CapabilityEnum], resolve: ({ capabilities }) => capabilities }),
    connection: t.field({ type: [SettingSpecRef], description: 'The settings that a device of it needs.', resolve: ({ settings }) => settings }),
    simulated: t.exposeBoolean('simulated'),
    documentation: t.string({ nullable: true, resolve: ({ documentation }) => documentation ?? null }),
  }),
})

builder.queryField('drivers', (t) =>
  t.field({
    type: [DriverRef],
    description: 'Every model that the stations of this lab can speak to.',
    resolve: (_root, _args, { stations }) => stations.drivers(),
  }),
)
