import { describe, expect, it } from 'vitest'
import { logLineForPeople } from '../../core/log-line.ts'

const record = (fields: Record<string, unknown>): string =>
  logLineForPeople(JSON.stringify({ level: 30, time: new Date(2026, 2, 1, 14, 3, 22).getTime(), name: 'api', pid: 7, msg: 'the api serves', ...fields }))

describe('a line of the log for people', () => {
  it('says when, who and what', () => {
    expect(record({})).toBe('14:03:22 api: the api serves\n')
  })

  it('names what is no plain information, and tells the details', () => {
    expect(record({ level: 40, msg: 'not followed', device: 'stage-x', tries: 3 })).toBe('14:03:22 api warning: not followed (device stage-x, tries 3)\n')
  })

  it('shows where an error came from', () => {
    expect(record({ level: 50, msg: 'a request failed', err: { type: 'Error', message: 'no', stack: 'Error: no\n    at there' } })).toBe(
      '14:03:22 api error: a request failed\nError: no\n    at there\n',
    )
  })
})
