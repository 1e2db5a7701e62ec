import { expect, it } from 'vitest'
import { forEachReading } from '../../api/stations/mirror.ts'
import type { Reading } from '../../core/reading.ts'
import { QUALITIES } from '../../core/reading.ts'
import type { ReadingColumns } from '../../link/protocol.ts'

it('tells of each reading of a batch what its station told: value, setpoint, and why there is no value', () => {
  const columns: ReadingColumns = {
    start: 1_000n,
    handles: [4, 5, 4],
    offsetsMs: [0, 1, 2],
    qualities: [QUALITIES.indexOf('BAD'), QUALITIES.indexOf('GOOD'), QUALITIES.indexOf('GOOD')],
    values: [null, 2.5, 3],
    reasons: ['no sensor', null, null],
    setpoints: [2],
  }
  const heard: [number, Reading, boolean][] = []
  forEachReading({ kind: 'batch', at: { epoch: 1, position: 1 }, columns }, (...one) => heard.push(one))
  expect(heard).toEqual([
    [4, { time: 1_000n, quality: 'BAD', reason: 'no sensor' }, false],
    [5, { time: 1_001_000n, quality: 'GOOD', value: 2.5 }, false],
    [4, { time: 2_001_000n, quality: 'GOOD', value: 3 }, true],
  ])
})
