import { describe, expect, it } from 'vitest'
import type { Reading } from '../../../../core/reading.ts'
import type { ReadingsItem, ReadingsParams } from '../../../../link/protocol.ts'
import { type Published, ReadingsHub } from '../../../../workers/station/host/readings-hub.ts'
import { never } from './bench.ts'

const good = (value: number, time = BigInt(value)): Reading => ({ time, quality: 'GOOD', value })

function openHub(maxHeldReadings?: number): { readonly hub: ReadingsHub; readonly batches: (readonly Published[])[] } {
  const batches: (readonly Published[])[] = []
  const hub = new ReadingsHub({ epoch: 3, onBatch: (batch) => batches.push(batch), ...(maxHeldReadings !== undefined && { maxHeldReadings }) })
  return { hub, batches }
}

function reader(hub: ReadingsHub, params: ReadingsParams = {}): { next(): Promise<ReadingsItem> } {
  const iterator = hub.stream(params, never)
  return {
    async next() {
      const { value } = await iterator.next()
      if (value === undefined) throw new Error('the stream ended')
      return value
    },
  }
}

const valuesOf = (item: ReadingsItem): readonly unknown[] => (item.kind === 'gap' ? ['gap'] : item.columns.values)

describe('the readings hub', () => {
  it('gives the present first, then every batch in order', async () => {
    const { hub } = openHub()
    hub.publish(1, good(10), 'measured')
    hub.publish(2, good(20), 'measured')
    hub.publish(1, good(11), 'measured')
    const read = reader(hub)
    expect(await read.next()).toMatchObject({ kind: 'snapshot', at: { epoch: 3, position: 1 }, columns: { handles: [1, 2], values: [11, 20] } })
    hub.publish(2, good(21), 'measured')
    hub.flush()
    hub.publish(2, good(22), 'measured')
    hub.flush()
    expect(await read.next()).toMatchObject({ kind: 'batch', at: { position: 2 }, columns: { values: [21] } })
    expect(await read.next()).toMatchObject({ kind: 'batch', at: { position: 3 }, columns: { values: [22] } })
  })

  it('gathers what comes together into one batch, soon', async () => {
    const { hub, batches } = openHub()
    const read = reader(hub)
    await read.next()
    for (let at = 0; at < 50; at++) hub.publish(at, good(at), 'measured')
    expect((await read.next()) as { columns: unknown }).toMatchObject({ columns: { handles: Array.from({ length: 50 }, (_, at) => at) } })
    expect(batches).toHaveLength(1)
  })

  it('tells the last of a removed device, and has nothing of it in the present', async () => {
    const { hub, batches } = openHub()
    hub.publish(1, good(10), 'measured')
    hub.publish(2, good(20), 'measured')
    hub.forget([1])
    expect(batches).toHaveLength(1)
    expect(await reader(hub).next()).toMatchObject({ kind: 'snapshot', columns: { handles: [2], values: [20] } })
  })

  it('goes on after a position without loss or repetition', async () => {
    const { hub } = openHub()
    for (let value = 1; value <= 20; value++) {
      hub.publish(1, good(value), 'measured')
      hub.flush()
    }
    const read = reader(hub, { after: { epoch: 3, position: 15 } })
    for (let value = 16; value <= 20; value++) expect(await read.next()).toMatchObject({ kind: 'batch', at: { position: value }, columns: { values: [value] } })
  })

  it('says gap, then the present, when the position is of another life or was forgotten', async () => {
    const { hub } = openHub(10)
    for (let value = 1; value <= 30; value++) {
      hub.publish(1, good(value), 'measured')
      hub.flush()
    }
    for (const after of [
      { epoch: 2, position: 25 },
      { epoch: 3, position: 99 },
      { epoch: 3, position: 5 },
    ]) {
      const read = reader(hub, { after })
      expect(await read.next()).toMatchObject({ kind: 'gap', from: after, to: { epoch: 3, position: 30 } })
      expect(await read.next()).toMatchObject({ kind: 'snapshot', columns: { values: [30] } })
    }
  })

  it('says no gap to a reader whose parameters did not change in what was forgotten', async () => {
    const { hub } = openHub(10)
    hub.publish(2, good(7), 'measured')
    hub.flush()
    for (let value = 1; value <= 30; value++) {
      hub.publish(1, good(value), 'measured')
      hub.flush()
    }
    const read = reader(hub, { handles: [2], after: { epoch: 3, position: 1 } })
    const next = read.next()
    hub.publish(2, good(8), 'measured')
    hub.flush()
    expect(await next).toMatchObject({ kind: 'batch', columns: { handles: [2], values: [8] } })
  })

  it('holds no more for a reader that stands still, and breaks off with a gap', async () => {
    const { hub } = openHub(1000)
    const read = reader(hub)
    await read.next()
    for (let value = 1; value <= 5000; value++) {
      hub.publish(1, good(value), 'measured')
      hub.flush()
    }
    expect(valuesOf(await read.next())).toEqual(['gap'])
    expect(await read.next()).toMatchObject({ kind: 'snapshot', columns: { values: [5000] } })
    hub.publish(1, good(5001), 'measured')
    hub.flush()
    expect(await read.next()).toMatchObject({ kind: 'batch', columns: { values: [5001] } })
  })

  it('sends a reader only what it chose, with setpoints and reasons kept at their places', async () => {
    const { hub } = openHub()
    const read = reader(hub, { handles: [2, 3] })
    await read.next()
    hub.publish(1, good(1, 1_000_000n), 'measured')
    hub.publish(2, good(5, 3_000_000n), 'setpoint')
    hub.publish(3, { time: 4_500_000n, quality: 'BAD', reason: 'no reply' }, 'measured')
    hub.flush()
    expect(await read.next()).toEqual({
      kind: 'batch',
      at: { epoch: 3, position: 1 },
      columns: { start: 1_000_000n, handles: [2, 3], offsetsMs: [2, 3.5], qualities: [0, 3], values: [5, null], reasons: [null, 'no reply'], setpoints: [0] },
    })
  })

  it('gives every one of 200 000 readings to a reader that keeps up', async () => {
    const { hub } = openHub()
    const read = reader(hub)
    await read.next()
    let seen = 0
    for (let batch = 0; batch < 200; batch++) {
      for (let at = 0; at < 1000; at++) hub.publish(at, good(at), 'measured')
      hub.flush()
      seen += valuesOf(await read.next()).length
    }
    expect(seen).toBe(200_000)
  })
})
