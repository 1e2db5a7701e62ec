import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Problem } from '../../../core/errors.ts'
import { DRIVERS } from '../../../drivers/catalog.ts'
import { fuzzOptions } from './options.ts'
import { anything, spoilt } from './replies.ts'
import { FUZZED, type FuzzedParser, WITHOUT_REPLIES } from './table.ts'

/** What the parser makes of it; REFUSED: that it is no such reply. */
const REFUSED = Symbol('refused')

function made({ parse }: FuzzedParser, reply: string): unknown {
  try {
    const value = parse(reply)
    return value === undefined || (typeof value === 'object' && value !== null && 'bad' in value) ? REFUSED : value
  } catch (error) {
    if (error instanceof Problem) return REFUSED
    throw error
  }
}

/** No number anywhere in it that is none. */
function expectFinite(value: unknown, reply: string): void {
  if (typeof value === 'number') expect(Number.isFinite(value), `${value} was made of ${JSON.stringify(reply)}`).toBe(true)
  else if (value instanceof Set || Array.isArray(value)) for (const each of value) expectFinite(each, reply)
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) expectFinite(each, reply)
}

test('every driver lists its parsers', () => {
  const listed = new Set([...FUZZED.flatMap(({ driverIds }) => driverIds), ...WITHOUT_REPLIES])
  expect(DRIVERS.map(({ id }) => id).filter((id) => !listed.has(id))).toEqual([])
})

const PARSERS = FUZZED.flatMap(({ driverIds, parsers }) => parsers.map((parser) => [driverIds.join(' and ') || 'descriptions', parser.name, parser] as const))

describe.each(PARSERS)('%s: %s', (_driver, _name, parser) => {
  const { captures } = parser

  test('are taken as the instrument gives them', () => {
    for (const capture of captures) {
      const value = made(parser, capture)
      expect(value, JSON.stringify(capture)).not.toBe(REFUSED)
      expectFinite(value, capture)
    }
  })

  test('whatever comes makes no crash and no number that is none', () => {
    fc.assert(
      fc.property(anything(captures), (reply) => expectFinite(made(parser, reply), reply)),
      fuzzOptions(),
    )
  })

  test('nor does a reply that the line has spoilt', () => {
    fc.assert(
      fc.property(spoilt(captures), (reply) => expectFinite(made(parser, reply), reply)),
      fuzzOptions(),
    )
  })

  if (parser.tellsTruncation)
    test('half a reply is refused', () => {
      for (const capture of captures)
        for (let length = 0; length < capture.length; length += 1)
          expect(made(parser, capture.slice(0, length)), `the first ${length} of ${JSON.stringify(capture)}`).toBe(REFUSED)
    })
})
