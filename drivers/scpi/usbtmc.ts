import { NotSupported } from '../../core/errors.ts'
import type { MessageTransport } from './message-transport.ts'

export async function openUsbtmc(_options: { readonly path: string; readonly statusByte: boolean }, _signal: AbortSignal): Promise<MessageTransport> {
  throw new NotSupported('USBTMC')
}
