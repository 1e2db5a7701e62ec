import type { PortKind, PortState } from '../../core/device.ts'
import type { Context } from '../context.ts'
import { globalId } from '../global-id.ts'
import { DeviceRef, NodeRef, PortRef, type PortSource } from '../refs.ts'
import { PortKindEnum } from './enums.ts'

PortRef.implement({
  description: 'One serial line, connection or library of a station. A discovered one that no device is registered on has an id, but `node` does not find it.',
  interfaces: [NodeRef],
  fields: (t) => ({
    path: t.string({
      description: 'By a name that stays when cables are plugged in another order, where its station knows one.',
      resolve: (port, _args, context) => stateOf(port, context)?.path ?? port.address,
    }),
    kind: t.field({ type: PortKindEnum, resolve: ({ kind }) => kind as PortKind }),
    stationId: t.id({ resolve: ({ stationId }) => globalId('Station', stationId) }),
    devices: t.field({ type: [DeviceRef], resolve: ({ id, found }, _args, { load }) => (found === undefined ? load.devicesOfPort.load(id) : []) }),
    serialNumber: t.string({ nullable: true, resolve: (port, _args, context) => stateOf(port, context)?.serialNumber ?? null }),
    vendor: t.string({ nullable: true, resolve: (port, _args, context) => stateOf(port, context)?.vendor ?? null }),
  }),
})

/** What its station found there when it last connected a device on it. */
function stateOf({ found, stationId, address }: PortSource, { stations }: Context): Pick<PortState, 'path' | 'serialNumber' | 'vendor'> | undefined {
  if (found !== undefined) return found
  for (const { port } of stations.find(stationId)?.devices.values() ?? []) if (port?.address === address) return port
  return undefined
}
