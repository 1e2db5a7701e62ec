import type { ParameterSpec } from '../core/parameter.ts'
import type { Measured } from '../core/reading.ts'
import type { DeviceHandle, Driver, DriverPort } from '../drivers/driver.ts'
import { capabilitiesOf } from '../drivers/driver.ts'

/** A source of many fast numbers for the benchmarks alone: no lab has it in its catalogue. Reading it costs nothing, so what is measured is our own path. */
export function signalsDriver(signals: number, everyMs: number): Driver {
  const parameters: readonly ParameterSpec[] = Array.from({ length: signals }, (_, index) => ({
    name: `signal_${index}`,
    description: 'A saw-tooth of the benchmark',
    kind: 'FLOAT',
    access: 'READ_ONLY',
    unit: 'V',
    deadband: Number.MAX_VALUE, // the journal is not what is measured
    pollMs: everyMs,
  }))

  const open = async (): Promise<DeviceHandle> => {
    let ticks = 0
    return {
      identity: 'benchmark signals',
      parameters,
      readout: { parameter: 'signal_0' },
      async read(names) {
        ticks += 1
        const values = new Map<string, Measured>()
        for (const [index, name] of names.entries()) values.set(name, { value: (ticks + index) % 1000 })
        return values
      },
      async [Symbol.asyncDispose]() {
        // nothing is open
      },
    }
  }

  return {
    id: 'bench-signals',
    vendor: 'Kymograph',
    model: 'benchmark signals',
    version: '1',
    portKind: 'SIMULATED',
    settings: [],
    capabilities: capabilitiesOf({ parameters, readout: true }),
    locate: () => ({ address: 'sim://signals' }),
    openPort: async (): Promise<DriverPort> => ({ lost: new AbortController().signal, [Symbol.asyncDispose]: async () => undefined }),
    openDevice: open,
  }
}
