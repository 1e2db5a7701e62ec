import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { messageOf } from '../../core/errors.ts'
import { checkValue } from '../../core/parameter.ts'
import { scpiFormat } from '../../drivers/scpi/format.ts'
import { never, open, openBench, problemOf } from '../drivers/bench.ts'
import { Scripted, serve } from '../drivers/scpi/scripted.ts'

/** The guide's example is what runs here, and its tables hold every key that the format knows. */

const guide = await readFile(path.join(import.meta.dirname, '../../docs/describing-an-instrument.md'), 'utf8')
const [, example = ''] = /^```yaml\n(.*?)^```$/ms.exec(guide) ?? []

it('the example is a supply that can be set, stopped and made safe', async () => {
  await using bench = await openBench()
  const instrument = new Scripted()
  for (const [question, answer] of Object.entries({
    '*IDN?': 'ACME,PS30,1,1',
    'VOLT?': '1.500',
    'VOLT? MAX': '30',
    'MEAS:VOLT?': '1.4998',
    'OUTP?': '0',
    'OUTP:MODE?': 'CC',
  }))
    instrument.answers.set(question, answer)
  await using served = await serve(instrument, 'tcp')
  const driver = scpiFormat.driverOf(example, 'acme-ps30.yaml')
  await using supply = await open(driver, { address: served.address }, bench.context)
  const { device } = supply
  const [voltage] = device.parameters
  if (voltage === undefined) throw new Error('the example has no voltage')
  instrument.told.length = 0
  expect(await device.write?.('voltage', checkValue(voltage, 1500, 'mV'), never)).toBe(1.5)
  expect(instrument.told).toEqual(['VOLT 1.500', '*OPC?', 'SYST:ERR?', 'VOLT?'])
  expect(() => checkValue(voltage, 100)).toThrow('outside 0 … 30 V')
  expect(Object.fromEntries(await device.read(['voltage_measured', 'output_on', 'mode'], never))).toEqual({
    voltage_measured: { value: 1.4998 },
    output_on: { value: false },
    mode: { value: 'constant current' },
  })
  expect(await (await device.emergencyStop?.(never))?.confirmed).toBe(true)
  await device.makeSafe?.(never)
  await device.commands?.invoke('clear_protection', {}, never)
  instrument.queue.push('-222,"Data out of range"')
  expect(await problemOf(device.write?.('output_on', true, never) ?? Promise.resolve())).toMatchObject({ effect: 'NONE', facts: { instrumentCode: '-222' } })
})

/** A key that nobody knows, at each place: the refusal lists those that are known. */
const PLACES: readonly (readonly [string, RegExp])[] = [
  ['', /$/],
  ['connections', / {2}tcp: .*\n/],
  ['serial', /baudRate: 9600(?= \})/],
  ['errors', /queue: SYST:ERR\?/],
  ['stop', / {2}send: OUTP OFF\n/],
  ['a parameter', / {4}readBack: .*\n/],
  ['range', /minimum: 0/],
  ['a command', / {4}send: 'OUTP:PROT:CLE'\n/],
]

it.each(PLACES)('every key of %s is in the guide', (_place, after) => {
  const [found = ''] = after.exec(example) ?? []
  const indented = found.endsWith('\n') ? `${found}${/^ */.exec(found)?.[0]}zzz: 1\n` : found === '' ? `${example}zzz: 1\n` : `${found}, zzz: 1`
  const text = found === '' ? indented : example.replace(found, indented)
  let message = ''
  try {
    scpiFormat.driverOf(text, 'acme-ps30.yaml')
  } catch (error) {
    message = messageOf(error)
  }
  const keys = (/allowed are (.*)$/.exec(message)?.[1] ?? '').split(', ')
  expect(keys.length, message).toBeGreaterThan(1)
  for (const key of keys) expect(guide, `the guide tells of ${key}`).toContain(`\`${key}\``)
})
