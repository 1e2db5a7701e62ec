import type { EmergencyStopState } from '../../../core/device.ts'
import { Bell } from './bell.ts'
import type { HostChange } from './host.ts'
import type { StationDevice } from './station-device.ts'

type Reader = { readonly dirty: Set<string>; stop: boolean }

/** Tells each reader which devices have changed. What is told is the newest state, so a slow reader is told less, never late, and holds no memory. */
export class ChangeFeed {
  readonly #devices: ReadonlyMap<string, StationDevice>
  readonly #stopState: () => EmergencyStopState
  readonly #readers = new Set<Reader>()
  readonly #bell = new Bell()

  constructor(devices: ReadonlyMap<string, StationDevice>, stopState: () => EmergencyStopState) {
    this.#devices = devices
    this.#stopState = stopState
  }

  deviceChanged(deviceId: string): void {
    for (const { dirty } of this.#readers) dirty.add(deviceId)
    this.#bell.ring()
  }

  stopChanged(): void {
    for (const reader of this.#readers) reader.stop = true
    this.#bell.ring()
  }

  /** Listens from the call on, not only from the first item: what changes between a snapshot and the first item is not lost. */
  read(signal: AbortSignal): AsyncGenerator<HostChange, void, void> {
    const reader: Reader = { dirty: new Set(), stop: false }
    this.#readers.add(reader)
    const leave = (): void => {
      this.#readers.delete(reader)
    }
    signal.addEventListener('abort', leave, { once: true })
    return this.#items(reader, signal, leave)
  }

  async *#items(reader: Reader, signal: AbortSignal, leave: () => void): AsyncGenerator<HostChange, void, void> {
    try {
      while (!signal.aborted) {
        if (reader.stop) {
          reader.stop = false
          yield { kind: 'emergencyStop', state: this.#stopState() }
          continue
        }
        const [deviceId] = reader.dirty
        if (deviceId === undefined) {
          await this.#bell.rung(signal)
          continue
        }
        reader.dirty.delete(deviceId)
        const device = this.#devices.get(deviceId)
        yield device === undefined ? { kind: 'removed', deviceId } : { kind: 'device', device: device.state }
      }
    } finally {
      signal.removeEventListener('abort', leave)
      leave()
    }
  }
}
