import { expect, test } from 'vitest'
import { likelyAxis, type ScanForm, toRunInput } from '../../web/src/model/plan-input.ts'

const stage = { id: 'S', name: 'stage' }
const meter = { id: 'M', name: 'meter' }
const axis = { key: 'x', device: stage, title: 'Stage', unit: 'mm' }
const form: ScanForm = {
  kind: 'linearScan',
  axis,
  detectors: [meter],
  start: 0,
  stop: 10,
  points: 11,
  delaySeconds: undefined,
  dwellSeconds: undefined,
  returnAfter: true,
  frames: 100,
  sessionId: undefined,
}

test('the first linear stage is scanned unless a person says otherwise', () => {
  const dome = { ...axis, key: 'dome', unit: 'deg' }
  const gap = { ...axis, key: 'gap', parameter: 'gap', unit: 'mm' }
  for (const unit of ['mm', 'um', 'm', '[in_i]']) expect(likelyAxis([dome, gap, { ...axis, unit }])?.key).toBe('x')
  for (const unit of ['min', 'mm/s', 'deg', 'm2']) expect(likelyAxis([dome, gap, { ...axis, unit }])?.key).toBe('dome')
  expect(likelyAxis([])).toBeUndefined()
})

test('a linear scan of a position', () => {
  expect(toRunInput(form, 'key')).toEqual({
    idempotencyKey: 'key',
    bindings: [
      { role: 'stage', deviceId: 'S' },
      { role: 'meter', deviceId: 'M' },
    ],
    plan: { linearScan: { axes: [{ role: 'stage', start: 0, stop: 10, unit: 'mm' }], num: 11, detectors: [{ role: 'meter' }], after: 'RETURN' } },
  })
})

test('a linear scan of a parameter, against two detectors, with a dwell, in a session', () => {
  const scan = toRunInput(
    { ...form, axis: { ...axis, parameter: 'wavelength', unit: 'nm' }, detectors: [meter, stage], dwellSeconds: 0.5, returnAfter: false, sessionId: 's' },
    'key',
  )
  expect(scan).toMatchObject({
    sessionId: 's',
    bindings: [
      { role: 'stage', deviceId: 'S' },
      { role: 'meter', deviceId: 'M' },
    ],
    plan: {
      linearScan: {
        axes: [{ role: 'stage', parameter: 'wavelength', unit: 'nm' }],
        detectors: [{ role: 'meter' }, { role: 'stage' }],
        settle: { dwellSeconds: 0.5 },
        after: 'STAY',
      },
    },
  })
})

test('a count and a recording', () => {
  expect(toRunInput({ ...form, kind: 'count', points: 5, delaySeconds: 1 }, 'key')).toMatchObject({ plan: { count: { num: 5, delaySeconds: 1 } } })
  expect(toRunInput({ ...form, kind: 'record', detectors: [{ id: 'C', name: 'camera' }] }, 'key')).toEqual({
    idempotencyKey: 'key',
    bindings: [{ role: 'camera', deviceId: 'C' }],
    plan: { record: { detectors: [{ role: 'camera' }], frames: 100 } },
  })
})

test.each([
  ['detector', { detectors: [] }],
  ['scanned', { axis: undefined }],
  ['start', { stop: undefined }],
  ['points', { points: 2.5 }],
  ['frames', { kind: 'record', frames: 0 }],
  ['readings', { kind: 'count', points: undefined }],
] as const)('says that the %s is missing', (word, change) => {
  expect(toRunInput({ ...form, ...change }, 'key')).toEqual({ missing: expect.stringContaining(word) })
})
