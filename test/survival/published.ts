import path from 'node:path'
import { forEachReading } from '../../api/stations/mirror.ts'
import type { DeviceState } from '../../core/device.ts'
import type { ParameterValue, Quality } from '../../core/reading.ts'
import type { WallNs } from '../../core/time.ts'
import { connectStation } from '../../link/client.ts'
import type { ReadingsPosition } from '../../link/protocol.ts'
import { linkToken } from '../../link/token.ts'
import { until } from '../until.ts'

/** One measured value as the station published it, with the place of its batch. */
export type PublishedReading = ReadingsPosition & {
  readonly parameter: string
  readonly time: WallNs
  readonly quality: Quality
  readonly value: ParameterValue | undefined
}

/** Everything that a station has published since it started, and what it published before it started again. */
export type Published = AsyncDisposable & {
  readonly readings: readonly PublishedReading[]
  readonly at: ReadingsPosition
}

/** Follows the station itself, past the api, from the first batch of each of its lives; names parameters `<device>.<parameter>`. */
export async function followPublished(dataDir: string, station: { readonly id: string; readonly linkAddress: string }): Promise<Published> {
  const token = await linkToken(path.join(dataDir, 'run', 'link-token'))
  const link = connectStation({ stationId: station.id, address: station.linkAddress, token, log: () => undefined })
  const closing = new AbortController()
  const raw: (Omit<PublishedReading, 'parameter'> & { readonly handle: number })[] = []
  const names = new Map<string, string>()
  let at: ReadingsPosition = { epoch: 0, position: 0 }
  let failure: unknown

  const learn = (epoch: number, { name: device, parameters }: DeviceState): void => {
    for (const { handle, spec } of parameters) names.set(`${epoch}/${handle}`, `${device}.${spec.name}`)
  }
  const followReadings = async (epoch: number, signal: AbortSignal): Promise<void> => {
    const after = at.epoch === epoch ? at : { epoch, position: 0 }
    for await (const item of link.stream('readings', { after }, signal)) {
      if (item.kind !== 'batch') throw new Error(`the station's own record has a ${item.kind}: ${JSON.stringify(item.kind === 'gap' && item.reason)}`)
      at = item.at
      forEachReading(item, (handle, { time, quality, value }, setpoint) => {
        if (!setpoint) raw.push({ ...item.at, handle, time, quality, value })
      })
    }
  }
  const following = (async () => {
    while (!closing.signal.aborted) {
      await until(() => link.online || closing.signal.aborted, { deadlineMs: 60_000, what: 'the link to the station' })
      const lost = new AbortController()
      const signal = AbortSignal.any([closing.signal, lost.signal])
      const parts: Promise<void>[] = []
      try {
        let epoch: number | undefined
        for await (const item of link.stream('state', {}, signal)) {
          if (item.kind === 'snapshot') {
            epoch = item.epoch
            for (const device of item.devices) learn(epoch, device)
            parts.push(followReadings(epoch, signal))
          } else if (item.kind === 'device' && epoch !== undefined) learn(epoch, item.device)
        }
      } catch (error) {
        if (link.online && !closing.signal.aborted) failure ??= error
      }
      lost.abort()
      for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected' && !String(part.reason).includes('station')) failure ??= part.reason
    }
  })()
  await until(() => at.position > 0, { what: 'a first reading' })

  return {
    get readings() {
      if (failure !== undefined) throw failure
      return raw.map(({ handle, ...reading }) => ({ ...reading, parameter: names.get(`${reading.epoch}/${handle}`) ?? `handle ${handle}` }))
    },
    get at() {
      return at
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      await link[Symbol.asyncDispose]()
      await following
    },
  }
}
