import { expect, test } from 'vitest'
import { toNamedValues } from '../../web/src/model/setting-input.ts'
import { foundFields } from '../../web/src/panels/discovery/found-fields.ts'

const passes = { name: 'passes', kind: 'INTEGER', required: true, default: null } as const
const mode = { name: 'mode', kind: 'ENUM', required: false, default: 'fine' } as const
const on = { name: 'on', kind: 'BOOLEAN', required: false, default: null } as const

test('each field becomes the value that its kind takes, and what is empty is left out', () => {
  expect(toNamedValues([passes, mode, on], { passes: '3', mode: '', on: 'true' })).toEqual({
    values: [
      { name: 'passes', value: { integer: 3 } },
      { name: 'on', value: { boolean: true } },
    ],
  })
  expect(toNamedValues([mode], {})).toEqual({ values: [] })
})

test('what is missing or is no value is told by its name', () => {
  expect(toNamedValues([passes], {})).toEqual({ reason: 'passes is missing.' })
  expect(toNamedValues([passes], { passes: '1.5' })).toEqual({ reason: 'passes: Give a whole number.' })
})

test('what was found is registered as it answered; a port alone gives its address', () => {
  const port = { path: 'serial:///dev/serial/by-id/usb-A' }
  expect(foundFields({ port, settings: [] })).toEqual({ address: port.path })
  const settings = [
    { name: 'address', value: 'sim://ell14' },
    { name: 'busAddress', value: 3 },
    { name: 'inverted', value: false },
    { name: 'nothing', value: null },
  ]
  expect(foundFields({ port, settings })).toEqual({ address: 'sim://ell14', busAddress: 3, inverted: 'false' })
})
