import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../../until.ts'
import { type Bench, never, open, openBench, problemOf, readOne } from '../bench.ts'
import { described, Scripted, type Served, serve } from './scripted.ts'

/** What an instrument's manual and its other users may ask of a driver: time between messages, silence on ports of others, nothing after a stop. */

const VOLTAGE = 'parameters: { voltage: { description: What is set, kind: float, unit: V, query: VOLT?, set: "VOLT {value}" } }'
const STAGE = `
parameters: { position: { description: Where it is, kind: float, unit: mm, query: POS? } }
motion: { position: position, move: 'MOVE {value}', stop: STOP, moving: { query: BUSY?, pattern: '^1$' } }
`

let bench: Bench
let instrument: Scripted
let served: Served

beforeEach(async () => {
  bench = await openBench()
  instrument = new Scripted()
  served = await serve(instrument, 'tcp')
})

afterEach(async () => {
  await served[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
})

test.each([
  ['after every message', 'messageMs: 300'],
  ['after a set', 'setMs: 300'],
])('keeps the time that the manual asks for %s', async (_, delay) => {
  let setAtMs = Number.NaN
  let askedAtMs = Number.NaN
  instrument.answers.set('VOLT?', '1')
  instrument.answers.set('VOLT 1', () => {
    setAtMs = performance.now()
    return undefined
  })
  await using device = await open(described(`delays: { ${delay} }\n${VOLTAGE}`), { address: served.address }, bench.context)
  instrument.answers.set('SYST:ERR?', '0')
  const answer = instrument.receive.bind(instrument)
  instrument.receive = (bytes) => {
    if (Buffer.from(bytes).includes('SYST:ERR?')) askedAtMs = performance.now()
    return answer(bytes)
  }
  expect(await device.device.write?.('voltage', 1, never)).toBe(1)
  expect(askedAtMs - setAtMs).toBeGreaterThan(150) // half of it: a stall of this process may delay the first and not the second
})

test('asks who is there only on the port that the instrument has', async () => {
  const there = (simulated: boolean, port: string) =>
    described(`connections: { tcp: { port: ${port} } }\n${VOLTAGE}`, HEAD_WITHOUT_CONNECTIONS).probe?.(
      served.address,
      { ...bench.context, resolve: async () => ({ ...(await bench.context.resolve(served.address)), simulated }) },
      never,
    )
  expect(await there(false, '5025')).toEqual([])
  expect(instrument.told).toEqual([])
  expect(await there(false, new URL(served.address).port)).toHaveLength(1)
})

const HEAD_WITHOUT_CONNECTIONS = `protocol: scpi
id: acme-tiny
vendor: ACME
model: Tiny
identity: '^ACME,TINY,'
`

test('a move that waited is not sent after a stop', async () => {
  for (const [question, answer] of Object.entries({ 'POS?': '0', 'BUSY?': '0' })) instrument.answers.set(question, answer)
  await using stage = await open(described(STAGE), { address: served.address }, bench.context)
  instrument.silentOnce.add('POS?')
  const hanging = readOne(stage.device, 'position')
  await until(() => instrument.told.includes('POS?'))
  const moving = problemOf(stage.device.motion?.moveTo(5, never) ?? Promise.resolve())
  await stage.device.motion?.stop(never)
  expect(await moving).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('was overtaken by a stop and not sent') })
  expect(await hanging).toHaveProperty('bad')
  expect(instrument.commands).toEqual(['STOP'])
})
