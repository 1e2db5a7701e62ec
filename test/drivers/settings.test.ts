import { describe, expect, it } from 'vitest'
import type { SettingSpec } from '../../core/parameter.ts'
import { choiceOf, wholeNumberOf } from '../../drivers/settings.ts'

const AXIS: SettingSpec = { name: 'axis', kind: 'INTEGER', required: true, description: 'Axis of the controller: 1, 2 or 3' }

describe('a setting', () => {
  it('that is missing is asked for by its description', () => {
    expect(() => wholeNumberOf({}, AXIS, [1, 2, 3])).toThrow('axis is missing: Axis of the controller: 1, 2 or 3')
  })

  it('that is wrong is told with what is allowed', () => {
    expect(() => wholeNumberOf({ axis: 9 }, AXIS, [1, 2, 3])).toThrow('axis: 9 is not allowed; choose one of 1, 2, 3')
    const flow = { name: 'flow', kind: 'ENUM', required: false, description: '', default: 'none', choices: ['none', 'hardware'] } as const
    expect(() => choiceOf({ flow: 'maybe' }, flow)).toThrow('flow: "maybe" is not allowed; choose one of none, hardware')
  })

  it('that is not given has its default', () => {
    expect(wholeNumberOf({}, { ...AXIS, default: '2' }, [1, 2, 3])).toBe(2)
  })
})
