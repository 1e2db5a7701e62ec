import type { PortKind } from '../../core/device.ts'
import { globalId } from '../global-id.ts'
import { DeviceRef, NodeRef, PortRef } from '../refs.ts'
import { PortKindEnum } from './enums.ts'

PortRef.implement({
  interfaces: [NodeRef],
  fields: (t) => ({
    path: t.string({ resolve: ({ address }) => address }),
    kind: t.field({ type: PortKindEnum, resolve: ({ kind }) => kind as PortKind }),
    stationId: t.id({ resolve: ({ stationId }) => globalId('Station', stationId) }),
    devices: t.field({ type: [DeviceRef], resolve: ({ id }, _args, { load }) => load.devicesOfPort.load(id) }),
  }),
})
