import { Conflict, DeviceBusy, type Problem } from '../../../core/errors.ts'
import type { Claim } from './host.ts'
import type { Writer } from './hosted-device.ts'

type Held = { readonly runId: string; readonly fence: number; readonly controller: AbortController }

/** Which run holds which device. A claim with a higher fencing number takes over from the same run's older one. */
export class Claims {
  readonly #held = new Map<string, Held>()
  readonly #onChange: (deviceId: string) => void

  constructor(onChange: (deviceId: string) => void) {
    this.#onChange = onChange
  }

  runOf(deviceId: string): string | undefined {
    return this.#held.get(deviceId)?.runId
  }

  /** All of them or none. Throws DeviceBusy for another run's device, Conflict for an old fencing number. */
  claim(runId: string, fence: number, devices: readonly { readonly id: string; readonly name: string }[]): Claim {
    for (const { id, name } of devices) {
      const held = this.#held.get(id)
      if (held === undefined) continue
      if (held.runId !== runId) throw new DeviceBusy(`${name} is held by run ${held.runId}`, { deviceId: id, runId: held.runId })
      if (held.fence >= fence) throw new Conflict(`run ${runId} was claimed with number ${held.fence} already, not below ${fence}`, { runId })
    }
    const own: Held = { runId, fence, controller: new AbortController() }
    for (const { id } of devices) {
      this.#held.get(id)?.controller.abort(new Conflict(`run ${runId} was claimed again with number ${fence}`, { runId }))
      this.#held.set(id, own)
      this.#onChange(id)
    }
    return {
      runId,
      fence,
      signal: own.controller.signal,
      [Symbol.asyncDispose]: async () => {
        for (const { id } of devices) {
          if (this.#held.get(id) !== own) continue
          this.#held.delete(id)
          this.#onChange(id)
        }
      },
    }
  }

  /** Throws DeviceBusy unless nobody holds the device or the writer carries its holder's number. */
  permit(device: { readonly id: string; readonly name: string }, { fence }: Pick<Writer, 'fence'>): void {
    const held = this.#held.get(device.id)
    if (held === undefined) {
      if (fence !== undefined) throw new Conflict(`run ${fence.runId} does not hold ${device.name} any more`, { deviceId: device.id, runId: fence.runId })
      return
    }
    if (fence?.runId === held.runId && fence.number === held.fence && !held.controller.signal.aborted) return
    throw new DeviceBusy(`${device.name} is in use by run ${held.runId}; abort the run or wait for its end`, { deviceId: device.id, runId: held.runId })
  }

  /** Every run must stop writing. */
  interrupt(reason: Problem): void {
    for (const { controller } of this.#held.values()) controller.abort(reason)
  }
}
