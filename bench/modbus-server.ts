import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { serveRegisters } from '../drivers/simulation/serve-simulation.ts'
import { serveRtu } from '../drivers/simulation/simulated-rtu.ts'
import type { RegisterInstrument } from '../drivers/simulation/simulator.ts'

/** The devices of bench/modbus.ts, in a process of their own: what they cost is not what is measured. */
export type Served = { readonly tcpPort: number; readonly serial: readonly { readonly baudRate: number; readonly path: string }[] }

export const BITS_PER_CHARACTER = 11 // even parity, as the standard has it
const BAUD_RATES = [19_200, 115_200]

/** Every register changes all the time. */
const instrument: RegisterInstrument = {
  size: 1000,
  read: (at, count, seconds) => Array.from({ length: count }, (_, index) => (at + index + Math.round(seconds * 1000)) & 0xffff),
  write: () => undefined,
}

if (process.send !== undefined) {
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-bench-'))
  const tcp = await serveRegisters({ instrument, devices: [{}] }, { folder, name: 'tcp', seed: 1 })
  const lines = await Promise.all(
    BAUD_RATES.map(async (baudRate) => {
      const options = { units: new Map([[1, instrument]]), baudRate, bitsPerCharacter: BITS_PER_CHARACTER, answerMs: 0, devices: [{}] }
      return { baudRate, line: await serveRtu(options, { folder, name: `line-${baudRate}`, seed: 1 }) }
    }),
  )
  process.once('disconnect', async () => {
    await tcp[Symbol.asyncDispose]()
    for (const { line } of lines) await line[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
    process.exit(0)
  })
  const served: Served = {
    tcpPort: tcp.entry.kind === 'tcp' ? tcp.entry.port : 0,
    serial: lines.map(({ baudRate, line }) => ({ baudRate, path: line.entry.kind === 'serial' ? line.entry.path : '' })),
  }
  process.send(served)
}
