import { expect, test } from 'vitest'
import { Selection } from '../../web/src/model/selection.ts'

const wanted = (deviceId: string, name: string) => ({ parameterId: `${deviceId}/${name}`, deviceId, name })

test('one selector for each device, the same text for the same set', () => {
  const one = new Selection()
  const other = new Selection()
  for (const [device, name] of [
    ['b', 'y'],
    ['a', 'z'],
    ['a', 'x'],
  ] as const)
    one.add(wanted(device, name))
  for (const [device, name] of [
    ['a', 'x'],
    ['b', 'y'],
    ['a', 'z'],
  ] as const)
    other.add(wanted(device, name))
  expect(one.selectors()).toEqual([
    { deviceId: 'a', names: ['x', 'z'] },
    { deviceId: 'b', names: ['y'] },
  ])
  expect(JSON.stringify(other.selectors())).toBe(JSON.stringify(one.selectors()))
})

test('a parameter stays as long as anyone wants it', () => {
  const selection = new Selection()
  expect(selection.add(wanted('a', 'x'))).toBe(true)
  expect(selection.add(wanted('a', 'x'))).toBe(false)
  expect(selection.remove('a/x')).toBe(false)
  expect(selection.selectors()).toHaveLength(1)
  expect(selection.remove('a/x')).toBe(true)
  expect(selection.selectors()).toEqual([])
  expect(selection.remove('a/x')).toBe(false)
})
