import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import modbus from 'modbus-serial'
import type { DeviceSettings } from '../core/device.ts'
import { resolveAddress } from '../drivers/address.ts'
import type { DeviceHandle, DriverContext } from '../drivers/driver.ts'
import { modbusFormat } from '../drivers/modbus/format.ts'
import { silenceMs } from '../drivers/modbus/rtu.ts'
import { openHostBench, record } from '../test/workers/station/host/bench.ts'
import { BITS_PER_CHARACTER, type Served } from './modbus-server.ts'
import { median, say } from './report.ts'

/**
 * Registers per second through the driver of a register profile against one plain request of the same size by modbus-serial, in turns in one run; what 100
 * registers at 10 Hz cost of a core; and requests on a serial line against what its baud rate allows. `npm run bench:modbus`
 */
const REGISTERS = 100
const ROUNDS = 3000
const WARM_UP = 300
const CPU_SECONDS = 10
const POLLS_PER_SECOND = 10
const LINE_SECONDS = 3

const never = new AbortController().signal
const context: DriverContext = {
  clock: { wallNs: () => BigInt(Date.now()) * 1_000_000n, monotonicNs: () => process.hrtime.bigint() },
  resolve: (address) => resolveAddress(address, undefined),
  log: () => undefined,
  workFolder: '',
}
const names = Array.from({ length: REGISTERS }, (_, at) => `r${at}`)
const profile = (more: string): string =>
  [
    'protocol: modbus',
    'id: bench-device',
    'vendor: Bench',
    'model: Device',
    'registers:',
    ...names.map((name, at) => `  - { at: ${at}, name: ${name}, coding: i16, scale: 0.1, unit: mm, description: A register${more} }`),
  ].join('\n')
const driver = modbusFormat.driverOf(profile(''), 'bench.yaml')

async function withDevice(settings: DeviceSettings, work: (device: DeviceHandle) => Promise<void>): Promise<void> {
  await using port = await driver.openPort(settings, context, never)
  await using device = await driver.openDevice(port, settings, context, never)
  await work(device)
}

const server = fork(path.join(import.meta.dirname, 'modbus-server.ts'), { execArgv: ['--import', 'tsx'] })
const [served] = (await once(server, 'message')) as [Served]
try {
  await withDevice({ address: `tcp://127.0.0.1:${served.tcpPort}` }, async (device) => {
    await rates(device)
    await costOfDriver(device)
  })
  await costInStation(`tcp://127.0.0.1:${served.tcpPort}`)
  for (const line of served.serial) await onLine(line)
} finally {
  server.disconnect()
  await once(server, 'exit')
}

async function rates(device: DeviceHandle): Promise<void> {
  const plain = new modbus.default()
  await plain.connectTCP('127.0.0.1', { port: served.tcpPort })
  plain.setID(1)
  plain.setTimeout(1000)
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
    const first = round % 2 === 0
    if (first) ours.push(await timed(() => device.read(names, never)))
    theirs.push(await timed(() => plain.readHoldingRegisters(0, REGISTERS)))
    if (!first) ours.push(await timed(() => device.read(names, never)))
  }
  await new Promise<void>((resolve) => plain.close(() => resolve()))
  const perSecond = (times: readonly number[]): number => (1000 * REGISTERS) / median(times.slice(WARM_UP))
  say(`${REGISTERS} registers in one request over Modbus TCP, ${ROUNDS} times, in turns`)
  say(`  through the driver, decoded with units   ${perSecond(ours).toFixed(0)} registers/s (${median(ours.slice(WARM_UP)).toFixed(3)} ms a request)`)
  say(`  one plain request by modbus-serial       ${perSecond(theirs).toFixed(0)} registers/s (${median(theirs.slice(WARM_UP)).toFixed(3)} ms a request)`)
  say(`  ratio                                    ${(perSecond(ours) / perSecond(theirs)).toFixed(2)}`)
}

async function costOfDriver(device: DeviceHandle): Promise<void> {
  const percent = await cpuPercent(async () => {
    const startMs = performance.now()
    for (let poll = 1; poll <= CPU_SECONDS * POLLS_PER_SECOND; poll += 1) {
      await device.read(names, never)
      await pause(startMs + (poll * 1000) / POLLS_PER_SECOND - performance.now())
    }
  })
  say(`${REGISTERS} registers at ${POLLS_PER_SECOND} Hz for ${CPU_SECONDS} s, the bar being 5 % of a core`)
  say(`  the driver                               ${percent.toFixed(2)} %`)
}

/** Polled, shared out and journalled as in a station: the worst, every register with a new value each time, and when they stand still. */
async function costInStation(address: string): Promise<void> {
  for (const [what, deadband] of [
    ['each one standing still', 10_000],
    ['each one with a new value to keep', 0],
  ] as const) {
    const polled = modbusFormat.driverOf(profile(`, deadband: ${deadband}, pollMs: ${1000 / POLLS_PER_SECOND}`), 'bench.yaml')
    await using station = await openHostBench([polled], [record('plc', polled.id, { address })])
    await station.connected('plc')
    await pause(1000) // what connecting cost is over
    const percent = await cpuPercent(() => pause(1000 * CPU_SECONDS))
    say(`  in a station, ${what.padEnd(33)} ${percent.toFixed(2)} %`)
  }
}

async function cpuPercent(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  const startMs = performance.now()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 10 / (performance.now() - startMs)
}

async function onLine({ baudRate, path: device }: Served['serial'][number]): Promise<void> {
  await withDevice({ address: `serial://${device}`, baudRate }, async (handle) => {
    let requests = 0
    const startMs = performance.now()
    while (performance.now() - startMs < 1000 * LINE_SECONDS) {
      const readings = await handle.read(names, never)
      if ([...readings.values()].some((reading) => 'bad' in reading)) throw new Error(`a reading failed at ${baudRate} baud`)
      requests += 1
    }
    const perSecond = (1000 * requests) / (performance.now() - startMs)
    // Request of 8 characters, silence, reply of 5 and two for each register, silence.
    const boundMs =
      (8 + 5 + 2 * REGISTERS) / (baudRate / 1000 / BITS_PER_CHARACTER) + 2 * silenceMs({ path: device, baudRate, bitsPerCharacter: BITS_PER_CHARACTER })
    const share = (100 * perSecond * boundMs) / 1000
    say(
      `${REGISTERS} registers over RTU at ${baudRate} baud: ${perSecond.toFixed(2)} requests/s of ${(1000 / boundMs).toFixed(2)} that the line allows (${share.toFixed(0)} %)`,
    )
  })
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
