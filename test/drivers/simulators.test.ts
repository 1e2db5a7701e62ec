import { connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRequest } from '../../drivers/modbus/pdu.ts'
import { connectModbus } from '../../drivers/modbus/tcp.ts'
import { Newport1830cSimulator } from '../../drivers/newport-1830c/simulator.ts'
import { Esp300Simulator } from '../../drivers/newport-esp300/simulator.ts'
import { SimulatedRegisters } from '../../drivers/simulation/simulated-registers.ts'
import { CommandSplitter } from '../../drivers/simulation/simulator.ts'
import { SmartSawSimulator } from '../../drivers/smart-saw/simulator.ts'
import { never } from './bench.ts'

const host = { random: () => 0.5, accepted: () => undefined }
const bytes = fc.uint8Array({ maxLength: 40 })
const nearlyEsp300 = fc.stringMatching(/^([1-4]?[A-Z]{2}[?\d.+-]{0,4}[;\r]){1,5}$/).map((text) => Buffer.from(text))
const nearlyMeter = fc.stringMatching(/^([A-Z]{1,2}[?\d]{0,5}\n){1,5}$/).map((text) => Buffer.from(text))

describe('a simulator stands whatever it is sent', () => {
  test('the ESP300', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(bytes, nearlyEsp300), { maxLength: 20 }), (messages) => {
        const simulator = new Esp300Simulator(host)
        messages.forEach((message, second) => {
          simulator.receive(message, second)
        })
        for (const axis of [1, 2, 3] as const) expect(Number.isFinite(simulator.position(axis, messages.length))).toBe(true)
      }),
    )
  })

  test('the 1830-C', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(bytes, nearlyMeter), { maxLength: 20 }), (messages) => {
        const simulator = new Newport1830cSimulator(host, { light: () => 1e-3 })
        messages.forEach((message, second) => {
          expect(() => simulator.receive(message, second)).not.toThrow()
        })
      }),
    )
  })

  test('the saw on its port', async () => {
    await using server = new SimulatedRegisters({
      instrument: new SmartSawSimulator(host),
      host: '127.0.0.1',
      port: 0,
      seconds: () => performance.now() / 1000,
    })
    await server.plugIn()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 12 }), async (body) => {
        const header = Buffer.from([0, 1, 0, 0, 0, body.length])
        await new Promise<void>((resolve, reject) => {
          const socket = connect(server.port, '127.0.0.1', () => socket.end(Buffer.concat([header, body])))
          socket.on('error', reject)
          socket.on('close', () => resolve())
          socket.resume()
        })
      }),
      { numRuns: 200 },
    )
    await using bus = await connectModbus({ host: '127.0.0.1', port: server.port }, never)
    expect(await bus.ask(1, readRequest('holding', 1000, 1), 1000, never)).toEqual([42])
  })

  test('a command without an end does not grow', () => {
    const splitter = new CommandSplitter(/\n/)
    for (let block = 0; block < 1000; block += 1) expect(splitter.take(Buffer.alloc(1000, 'x'))).toEqual([])
    expect(splitter.take(Buffer.from('\n'))[0]?.length).toBe(256)
  })
})
