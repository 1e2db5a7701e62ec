import { InvalidValue } from '../../core/errors.ts'
import type { ResolvedAddress } from '../driver.ts'
import { openSerial } from '../transport/byte-transport.ts'
import { openTcp } from '../transport/tcp-transport.ts'
import type { Description, SerialDefaults } from './description.ts'
import { openHislip } from './hislip/client.ts'
import { LineMessages } from './line-messages.ts'
import type { MessageTransport } from './message-transport.ts'
import { openUsbtmc } from './usbtmc.ts'

/** Opens what the address names. Throws DeviceOffline when nobody is there. */
export async function connect(
  description: Pick<Description, 'terminator' | 'connections' | 'id'>,
  place: ResolvedAddress,
  serial: SerialDefaults | undefined,
  signal: AbortSignal,
): Promise<MessageTransport> {
  const { terminator, connections } = description
  switch (place.kind) {
    case 'tcp':
      return new LineMessages(await openTcp(place, signal), terminator, `tcp://${place.host}:${place.port}`)
    case 'serial':
      if (serial === undefined) break
      return new LineMessages(await openSerial({ path: place.path, ...serial }, signal), terminator, place.path)
    case 'hislip':
      return await openHislip(place, signal)
    case 'usbtmc':
      return await openUsbtmc({ path: place.path, statusByte: connections.usbtmc?.statusByte ?? true }, signal)
    default:
      break
  }
  throw new InvalidValue(`${description.id} is not described for a ${place.kind} address; it knows ${Object.keys(connections).join(', ')}`, ['address'])
}
