import type { ParameterValue } from '../../core/reading.ts'
import { builder } from '../builder.ts'
import { type DiscoveredPort, discoverDevices } from '../discovery.ts'
import { DeviceRef, PortRef } from '../refs.ts'
import { DriverRef } from './driver.ts'
import { answer, resultUnion } from './problem.ts'

const FoundSettingRef = builder.objectRef<{ readonly name: string; readonly value: ParameterValue }>('FoundSetting').implement({
  fields: (t) => ({ name: t.exposeString('name'), value: t.field({ type: 'Value', nullable: true, resolve: ({ value }) => value }) }),
})

const DiscoveredPortRef = builder.objectRef<DiscoveredPort>('DiscoveredPort').implement({
  description: 'A port, and for each instrument on it one of these.',
  fields: (t) => ({
    port: t.field({ type: PortRef, resolve: ({ port }) => port }),
    identity: t.string({
      nullable: true,
      description: 'What the instrument says it is; null where nothing answers that is known.',
      resolve: ({ identity }) => identity ?? null,
    }),
    address: t.string({ nullable: true, description: 'On a shared port.', resolve: ({ address }) => address ?? null }),
    driver: t.field({
      type: DriverRef,
      nullable: true,
      resolve: ({ driverId }, _args, { stations }) => (driverId === undefined ? null : (stations.driver(driverId) ?? null)),
    }),
    known: t.field({ type: DeviceRef, nullable: true, description: 'The registered device that it is.', resolve: ({ known }) => known ?? null }),
    settings: t.field({
      type: [FoundSettingRef],
      description: 'What a device of it would be registered with.',
      resolve: ({ settings }) => Object.entries(settings).map(([name, value]) => ({ name, value })),
    }),
  }),
})
const DiscoverPayloadRef = builder.objectRef<{ readonly found: readonly DiscoveredPort[] }>('DiscoverPayload').implement({
  fields: (t) => ({ found: t.field({ type: [DiscoveredPortRef], resolve: ({ found }) => found }) }),
})
const DiscoverResult = resultUnion('DiscoverResult', DiscoverPayloadRef, ['NOT_FOUND', 'STATION_OFFLINE', 'DEADLINE_EXCEEDED', 'FORBIDDEN'])

builder.mutationField('discoverDevices', (t) =>
  t.field({
    type: DiscoverResult,
    description: 'The ports that a station has, and what answers on those that nobody has open. Asks only who is there; moves and changes nothing.',
    args: { stationId: t.arg.id({ required: true }) },
    resolve: (_root, { stationId }, context) => answer(async () => ({ found: await discoverDevices(stationId, context) })),
  }),
)
