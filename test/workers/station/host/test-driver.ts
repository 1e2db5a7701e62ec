import { DeviceOffline, HardwareFault } from '../../../../core/errors.ts'
import type { ParameterSpec } from '../../../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../../../core/reading.ts'
import type { DeviceHandle, Driver, DriverPort, MotionFacet } from '../../../../drivers/driver.ts'

/** Units per second: an axis does not arrive before it is told to, however busy the machine is, and then at once. */
export const SLOW = 0.5
export const QUICK = 1000

/** An instrument in memory: an axis and a few settings, with every fault that a test needs. */
export class Instrument {
  plugged = true
  readonly heard: string[] = []
  readonly values = new Map<string, ParameterValue>([
    ['power', 1],
    ['gain', 2],
    ['mode', 'slow'],
    ['note', ''],
    ['enabled', true],
  ])
  readonly failing = new Set<string>()
  unitsPerSecond = 100
  /** So many answers to isMoving are lost on the line. */
  loseAnswers = 0
  /** Never answers these. */
  readonly silent = new Set<string>()
  /** Does these, and its answer is lost. */
  readonly unconfirmed = new Set<string>()
  #from = 0
  #to = 0
  #startedMs = 0
  #ports = new Set<AbortController>()
  #devices: AbortController[] = []

  get position(): number {
    const travelled = ((performance.now() - this.#startedMs) / 1000) * this.unitsPerSecond
    const distance = this.#to - this.#from
    return travelled >= Math.abs(distance) ? this.#to : this.#from + Math.sign(distance) * travelled
  }

  get moving(): boolean {
    return this.position !== this.#to
  }

  go(to: number): void {
    this.heard.push(`move ${to}`)
    this.#from = this.position
    this.#to = to
    this.#startedMs = performance.now()
  }

  halt(word: string): void {
    this.heard.push(word)
    this.#from = this.position
    this.#to = this.#from
  }

  open(): DriverPort {
    if (!this.plugged) throw new DeviceOffline('the cable is not plugged in', {})
    const controller = new AbortController()
    this.#ports.add(controller)
    return {
      lost: controller.signal,
      [Symbol.asyncDispose]: async () => {
        this.#ports.delete(controller)
      },
    }
  }

  get openPorts(): number {
    return this.#ports.size
  }

  unplug(): void {
    this.plugged = false
    for (const port of this.#ports) port.abort(new DeviceOffline('the cable was pulled', {}))
  }

  /** The signal of a device that is opened just now. */
  openOne(): AbortSignal {
    const controller = new AbortController()
    this.#devices.push(controller)
    return controller.signal
  }

  /** Of the devices on its port, the one that was opened first is gone; the port is not. */
  removeFirst(why: string): void {
    this.#devices.shift()?.abort(new DeviceOffline(why, {}))
  }

  /** Every exchange with the instrument. */
  async exchange<T>(name: string, answer: () => T, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    if (this.silent.has(name)) await aborted(signal)
    if (!this.plugged) throw new DeviceOffline('no answer', {})
    if (name === 'isMoving' && this.loseAnswers-- > 0) throw new HardwareFault('no reply within 1 s', 'NONE')
    if (this.failing.has(name)) throw new HardwareFault(`${name} was refused`, 'NONE', { instrumentCode: '7' })
    const said = answer()
    if (this.unconfirmed.has(name)) await aborted(signal)
    return said
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}

const PARAMETERS: readonly ParameterSpec[] = [
  { name: 'position', description: 'where it stands', kind: 'FLOAT', access: 'READ_ONLY', unit: 'mm', pollMs: 20, deadband: 0.001 },
  { name: 'power', description: 'the main quantity', kind: 'FLOAT', access: 'READ_ONLY', unit: 'W', pollMs: 20, deadband: 0.1 },
  { name: 'gain', description: 'a number', kind: 'FLOAT', access: 'READ_WRITE', unit: 'V', minimum: 0, maximum: 10 },
  { name: 'mode', description: 'a choice', kind: 'ENUM', access: 'READ_WRITE', choices: ['slow', 'fast'] },
  { name: 'note', description: 'a text', kind: 'TEXT', access: 'WRITE_ONLY' },
  { name: 'enabled', description: 'a switch', kind: 'BOOLEAN', access: 'READ_WRITE' },
]

/** Settings: `address` names the instrument; `moves` false makes it a plain meter, which nothing can be written to. */
export function testDriver(instruments: Readonly<Record<string, Instrument>>): Driver {
  const find = (address: unknown): Instrument => {
    const instrument = instruments[String(address)]
    if (instrument === undefined) throw new DeviceOffline(`nothing is at ${String(address)}`, {})
    return instrument
  }
  return {
    id: 'test-bench',
    vendor: 'Test',
    model: 'Bench',
    version: '1.2.3',
    portKind: 'SERIAL',
    settings: [],
    capabilities: ['MOVABLE', 'READABLE', 'PARAMETERIZED', 'SETTABLE'],
    locate: ({ address }) => ({ address: String(address) }),
    openPort: async ({ address }) => find(address).open(),
    openDevice: async (_, { address, moves }) => openDevice(find(address), moves !== false),
  }
}

function openDevice(instrument: Instrument, moves: boolean): DeviceHandle {
  const motion: MotionFacet = {
    unit: 'mm',
    positionParameter: 'position',
    limits: () => ({ minimum: 0, maximum: 50 }),
    homed: () => undefined,
    moveTo: (position, signal) => instrument.exchange('moveTo', () => instrument.go(position), signal),
    home: (signal) => instrument.exchange('home', () => instrument.go(0), signal),
    isMoving: (signal) => instrument.exchange('isMoving', () => instrument.moving, signal),
    stop: (signal) => instrument.exchange('stop', () => instrument.halt('stop'), signal),
  }
  const read = async (name: string, signal: AbortSignal): Promise<Measured> => {
    if (instrument.failing.has(`read ${name}`)) return { bad: 'no reply within 1 s' }
    return { value: await instrument.exchange('read', () => (name === 'position' ? instrument.position : (instrument.values.get(name) ?? 0)), signal) }
  }
  return {
    identity: 'Test Bench 1.0',
    parameters: PARAMETERS,
    lost: instrument.openOne(),
    readout: { parameter: 'power' },
    ...(moves && {
      motion,
      emergencyStop: async (signal) => {
        await instrument.exchange('emergencyStop', () => instrument.halt('abort'), signal)
        return { confirmed: Promise.resolve(true) }
      },
      write: (name: string, value: ParameterValue, signal: AbortSignal) =>
        instrument.exchange(
          'write',
          () => {
            instrument.heard.push(`${name}=${String(value)}`)
            instrument.values.set(name, value)
            return value
          },
          signal,
        ),
    }),
    async read(names, signal) {
      const readings = new Map<string, Measured>()
      for (const name of names) readings.set(name, await read(name, signal))
      return readings
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}
