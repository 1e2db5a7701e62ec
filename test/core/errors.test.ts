import { expect, test } from 'vitest'
import { messageOf, NotFound } from '../../core/errors.ts'

test.each([
  [new NotFound('run 7'), 'there is no run 7'],
  [new RangeError(), 'RangeError'],
  ['plain words', 'plain words'],
  [new AggregateError([new Error('connect ECONNREFUSED ::1:5432'), new Error('connect ECONNREFUSED 127.0.0.1:5432')]), /::1:5432; .*127\.0\.0\.1:5432$/],
])('whatever was thrown has words: %s', (thrown, words) => {
  expect(messageOf(thrown)).toMatch(words)
})
