import { DeviceOffline, messageOf } from '../../core/errors.ts'
import { openSpi } from '../../native/devices.ts'
import { isPinSocket, PinSocket, servePins } from '../simulation/pin-socket.ts'

/** One chip-select of an SPI bus: the swap point for what hangs on one. */
export interface SpiTransport extends AsyncDisposable {
  /** What answers is a socket in the place of the kernel's device. */
  readonly simulated: boolean
  /** Full duplex, one select frame; as many bytes as were given. */
  transfer(bytes: Uint8Array): Promise<Uint8Array>
}

export type SpiMode = 0 | 1 | 2 | 3

/** `path` is a spidev, or a socket made by serveSpi: what the file is decides. Throws DeviceOffline. */
export async function openSpiTransport(path: string, options: { readonly mode: SpiMode; readonly speedHz: number }): Promise<SpiTransport> {
  try {
    if (await isPinSocket(path)) return simulatedSpi(path, options.mode)
    const device = openSpi({ path, ...options })
    return {
      simulated: false,
      transfer: (bytes) => device.transfer(bytes),
      [Symbol.asyncDispose]: async () => device.close(),
    }
  } catch (error) {
    throw new DeviceOffline(`${path}: ${messageOf(error)}`, {})
  }
}

function simulatedSpi(path: string, mode: SpiMode): SpiTransport {
  const socket = new PinSocket(path)
  return {
    simulated: true,
    transfer: (bytes) => socket.ask(Uint8Array.of(mode, ...bytes)),
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  }
}

/** A simulated chip; the first byte of a question is the SPI mode. An empty answer is an I/O error, none is silence. */
export function serveSpi(path: string, transfer: (mode: number, bytes: Uint8Array) => Uint8Array | undefined): Promise<AsyncDisposable> {
  return servePins(path, ([mode = 0, ...bytes]) => transfer(mode, Uint8Array.from(bytes)))
}
