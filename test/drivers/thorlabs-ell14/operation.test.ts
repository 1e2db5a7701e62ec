import { describe, expect, test } from 'vitest'
import { Operation, type OperationKind } from '../../../drivers/thorlabs-ell14/operation.ts'
import { parseStatus } from '../../../drivers/thorlabs-ell14/protocol.ts'

const TARGET = 17_920 // 45 degrees: 00004600

function begun(kind: OperationKind = 'move') {
  const operation = new Operation(
    { busAddress: '2', kind, text: '2ma00004600', followedAs: 'motion', ...(kind !== 'work' && { targetPulses: TARGET }), tolerancePulses: 159 },
    0,
  )
  const answer = (code: string, nowMs = 100): void => {
    const status = parseStatus(`2GS${code}`)
    if (status !== undefined) operation.answered(status, nowMs)
  }
  return { operation, answer }
}

/** What has gone on since, from the status codes that answered one after the other. */
function settledAfter(codes: readonly string[]): boolean {
  const { operation, answer } = begun()
  for (const code of codes) answer(code)
  return operation.settled
}

describe('a motion', () => {
  test('has settled after three times ok in a row: between two parts of one it is briefly not busy', () => {
    expect(settledAfter(['00', '00'])).toBe(false)
    expect(settledAfter(['00', '00', '09', '00', '00'])).toBe(false)
    expect(settledAfter(['09', '00', '00', '00'])).toBe(true)
  })

  test('that tells where it stands at its end needs one ok more', () => {
    const { operation, answer } = begun()
    operation.heard('2PO00004601')
    expect([operation.settled, operation.said]).toEqual([false, TARGET + 1])
    answer('00')
    expect(operation.settled).toBe(true)
  })

  test('is not ended by a late position of elsewhere, and goes on when it is busy after all', () => {
    const { operation, answer } = begun()
    operation.heard('2PO00000014')
    expect(operation.said).toBeUndefined()
    operation.heard('2PO00004600')
    answer('09')
    answer('00')
    expect([operation.settled, operation.said, operation.outcome]).toEqual([false, undefined, undefined])
  })

  test.each(['01', '02', '08', '0A', '0B', '0D'])('ends in status %s, unasked or asked, and the first word counts', (code) => {
    const unasked = begun().operation
    unasked.heard(`2GS${code}`)
    unasked.heard('2GS07')
    const { operation, answer } = begun()
    answer(code)
    for (const { outcome } of [unasked, operation]) expect(outcome).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'DONE', facts: { instrumentCode: code } })
  })

  test('that is busy for longer than any is ends as busy', () => {
    const { operation, answer } = begun()
    answer('09', 9900)
    expect(operation.outcome).toBeUndefined()
    answer('09', 10_100)
    expect(operation.outcome).toMatchObject({ facts: { instrumentCode: '09' } })
  })
})

test('a search that says ok unasked needs one ok more, and is not asked all the time', () => {
  const { operation, answer } = begun('work')
  operation.heard('2GS00')
  expect(operation.settled).toBe(false)
  answer('00', 1000)
  expect([operation.settled, operation.mayAsk(1400), operation.mayAsk(1500)]).toEqual([true, false, true])
})
