import { expect, test } from 'vitest'
import { SkipCount } from '../../web/src/model/skip-count.ts'

test('what a view skipped is still counted when another one takes its place', () => {
  const skips = new SkipCount()
  expect([0, 0, 3, 3, 7].map((skipped) => skips.of(skipped))).toEqual([0, 0, 3, 3, 7])
  expect([0, 2, 2, 5].map((skipped) => skips.of(skipped))).toEqual([7, 9, 9, 12])
  expect(skips.of(1)).toBe(13)
})
