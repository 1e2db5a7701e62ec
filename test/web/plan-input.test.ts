import { expect, test } from 'vitest'
import { type ScanForm, toRunInput } from '../../web/src/data/plan-input.ts'

const axis = { key: 'x', deviceId: 'stage', title: 'Stage', unit: 'mm' }
const form: ScanForm = {
  kind: 'linearScan',
  axis,
  detectorIds: ['meter'],
  start: 0,
  stop: 10,
  points: 11,
  delaySeconds: undefined,
  dwellSeconds: undefined,
  returnAfter: true,
  frames: 100,
  sessionId: undefined,
}

test('a linear scan of a position', () => {
  expect(toRunInput(form, 'key')).toEqual({
    idempotencyKey: 'key',
    bindings: [
      { role: 'axis', deviceId: 'stage' },
      { role: 'detector', deviceId: 'meter' },
    ],
    plan: { linearScan: { axes: [{ role: 'axis', start: 0, stop: 10, unit: 'mm' }], num: 11, detectors: [{ role: 'detector' }], after: 'RETURN' } },
  })
})

test('a linear scan of a parameter, against two detectors, with a dwell, in a session', () => {
  const scan = toRunInput(
    { ...form, axis: { ...axis, parameter: 'wavelength', unit: 'nm' }, detectorIds: ['a', 'b'], dwellSeconds: 0.5, returnAfter: false, sessionId: 's' },
    'key',
  )
  expect(scan).toMatchObject({
    sessionId: 's',
    bindings: [{ role: 'axis' }, { role: 'detector1', deviceId: 'a' }, { role: 'detector2', deviceId: 'b' }],
    plan: { linearScan: { axes: [{ parameter: 'wavelength', unit: 'nm' }], settle: { dwellSeconds: 0.5 }, after: 'STAY' } },
  })
})

test('a count and a recording', () => {
  expect(toRunInput({ ...form, kind: 'count', points: 5, delaySeconds: 1 }, 'key')).toMatchObject({ plan: { count: { num: 5, delaySeconds: 1 } } })
  expect(toRunInput({ ...form, kind: 'record', detectorIds: ['camera'] }, 'key')).toEqual({
    idempotencyKey: 'key',
    bindings: [{ role: 'detector', deviceId: 'camera' }],
    plan: { record: { detectors: [{ role: 'detector' }], frames: 100 } },
  })
})

test.each([
  ['detector', { detectorIds: [] }],
  ['scanned', { axis: undefined }],
  ['start', { stop: undefined }],
  ['points', { points: 2.5 }],
  ['frames', { kind: 'record', frames: 0 }],
  ['readings', { kind: 'count', points: undefined }],
] as const)('says that the %s is missing', (word, change) => {
  expect(toRunInput({ ...form, ...change }, 'key')).toEqual({ missing: expect.stringContaining(word) })
})
