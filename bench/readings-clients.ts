import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { percentile } from './report.ts'

/** CLIENTS graphql-ws clients in a process of their own, each with the same subscription, for SECONDS; sends what they counted to the parent. */
const { URL: url = '', DEVICE_ID: deviceId = '', DELIVERY: delivery = 'EVERY' } = process.env
const clients = Number(process.env['CLIENTS'])
const seconds = Number(process.env['SECONDS'])
const WARM_UP_MS = 2_000
const DOCUMENT = `subscription ($select: [ParameterSelector!]!, $delivery: Delivery!) {
  readings(select: $select, delivery: $delivery, maxRateHz: 50) { cursor snapshot dropped gap { reason } series { parameterId start offsetsMs numbers } }
}`
type Batch = {
  readonly snapshot: boolean
  readonly dropped: number
  readonly gap: { readonly reason: string } | null
  readonly series: readonly { readonly start: string; readonly offsetsMs: readonly number[] }[]
}

export type ClientCounts = {
  readonly values: number
  readonly events: number
  readonly dropped: number
  readonly gaps: number
  readonly p50Ms: number
  readonly p99Ms: number
}

let measuring = false
const counts = { values: 0, events: 0, dropped: 0, gaps: 0 }
const latenciesMs: number[] = []

const running = Array.from({ length: clients }, () => createClient({ url, webSocketImpl: WebSocket, lazy: false }))
for (const client of running) {
  client.subscribe<{ readings: Batch }>(
    { query: DOCUMENT, variables: { select: [{ deviceId }], delivery } },
    {
      next({ data, errors }) {
        if (errors !== undefined || data === undefined || data === null) throw new Error(JSON.stringify(errors))
        const { readings } = data
        if (!measuring || readings.snapshot) return
        counts.events += 1
        counts.dropped += readings.dropped
        if (readings.gap !== null) counts.gaps += 1
        for (const series of readings.series) counts.values += series.offsetsMs.length
        const [first] = readings.series
        if (first !== undefined) latenciesMs.push(Date.now() - Date.parse(first.start) - (first.offsetsMs[0] ?? 0))
      },
      error: (error) => process.stderr.write(`subscription failed: ${JSON.stringify(error)}\n`),
      complete: () => undefined,
    },
  )
}

setTimeout(() => {
  measuring = true
  process.send?.('measuring')
  setTimeout(() => {
    const result: ClientCounts = { ...counts, p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99) }
    process.send?.(result, () => process.exit(0))
  }, seconds * 1000)
}, WARM_UP_MS)
