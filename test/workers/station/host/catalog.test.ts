import { describe, expect, it } from 'vitest'
import { catalogOf, type DriverSource, Listeners, listed } from '../../../../drivers/catalog/driver-catalog.ts'
import type { Driver } from '../../../../drivers/driver.ts'
import { until } from '../../../until.ts'
import { openHostBench, record } from './bench.ts'
import { Instrument, testDriver } from './test-driver.ts'

/** A source whose one driver can be exchanged. */
function changing(first: Driver | undefined): DriverSource & { now(driver: Driver | undefined): void } {
  const listeners = new Listeners()
  let drivers = first === undefined ? [] : [first]
  return {
    name: 'plugin test',
    problems: [],
    get drivers() {
      return drivers
    },
    onChange: (listener) => listeners.add(listener),
    now(driver) {
      drivers = driver === undefined ? [] : [driver]
      listeners.tell()
    },
  }
}

/** Two drivers with one device each; the second one's can be exchanged. */
async function openLab(first?: Driver): Promise<Awaited<ReturnType<typeof openHostBench>> & { plugin: ReturnType<typeof changing>; instruments: Instruments }> {
  const instruments = { fixed: new Instrument(), changed: new Instrument() }
  const plugin = changing(first ?? version(instruments, '1'))
  const catalog = catalogOf([listed('built-in', [testDriver(instruments)]), plugin])
  const bench = await openHostBench(catalog, [record('fixed', 'test-bench', { address: 'fixed' }), record('changed', 'test-plugin', { address: 'changed' })])
  return Object.assign(bench, { plugin, instruments })
}

type Instruments = { readonly fixed: Instrument; readonly changed: Instrument }

function version(instruments: Instruments, number: string, more: Partial<Driver> = {}): Driver {
  return { ...testDriver(instruments), id: 'test-plugin', version: number, ...more }
}

describe('when a driver changes', () => {
  it('only its devices are connected again, by the new version', async () => {
    await using lab = await openLab()
    await lab.connected('fixed', 'changed')
    const fixed = lab.host.device('fixed')
    const fixedHandle = fixed.handle
    lab.plugin.now(version(lab.instruments, '2'))
    await until(() => lab.host.devices.get('changed')?.driver?.version === '2' && lab.host.devices.get('changed')?.handle, {
      what: 'the new version connected',
    })
    expect(lab.host.device('fixed')).toBe(fixed)
    expect(fixed.handle).toBe(fixedHandle)
    expect(lab.instruments.changed.openPorts).toBe(1)
  })

  it('shows its devices without a driver while it is away, and connects them when it comes back', async () => {
    await using lab = await openLab()
    await lab.connected('fixed', 'changed')
    lab.plugin.now(undefined)
    await until(() => lab.host.devices.get('changed')?.state.connection === 'FAILED', { what: 'no driver' })
    expect(lab.host.device('changed').driver).toBeUndefined()
    expect(lab.host.device('changed').state.connectionReason).toBe('no driver test-plugin is installed on this station')
    expect(lab.host.device('fixed').state.connection).toBe('CONNECTED')
    lab.plugin.now(version(lab.instruments, '3'))
    await lab.connected('changed')
  })

  it('stops an axis that moves before the new version takes it', async () => {
    await using lab = await openLab()
    await lab.connected('changed')
    lab.instruments.changed.unitsPerSecond = 1
    void lab.ask('changed', { kind: 'move', to: 40, wait: false }).catch(() => undefined) // ends with its device
    await until(() => lab.host.device('changed').state.motion?.moving === true, { what: 'it moves' })
    lab.plugin.now(version(lab.instruments, '2'))
    await until(() => lab.host.devices.get('changed')?.driver?.version === '2' && lab.host.devices.get('changed')?.handle, {
      what: 'the new version connected',
    })
    expect(lab.instruments.changed.heard).toContain('stop')
  })

  it('lets a run end with the version that it began with', async () => {
    await using lab = await openLab()
    await lab.connected('changed')
    const before = lab.host.device('changed')
    const claim = lab.host.claim('run', 1, ['changed'])
    lab.plugin.now(version(lab.instruments, '2'))
    await lab.host.syncDevices()
    expect(lab.host.device('changed')).toBe(before)
    await claim[Symbol.asyncDispose]()
    await until(() => lab.host.devices.get('changed')?.driver?.version === '2', { what: 'the new version is taken' })
    await until(() => lab.host.devices.get('changed')?.handle, { what: 'it is connected' })
  })

  it('takes a registry that has changed while a driver never opens nor ends anything', async () => {
    const instruments = { fixed: new Instrument(), changed: new Instrument() }
    const never = new Promise<never>(() => undefined)
    await using lab = await openLab(version(instruments, '1', { openPort: () => never }))
    await lab.connected('fixed')
    lab.registry = [record('fixed', 'test-bench', { address: 'fixed' })]
    await lab.host.syncDevices()
    expect([...lab.host.devices.keys()]).toEqual(['fixed'])
  })

  it('does not wait for an old version that never lets go', async () => {
    const instruments = { fixed: new Instrument(), changed: new Instrument() }
    const stubborn = version(instruments, '1', {
      openPort: async (settings, context, signal) => {
        const port = await testDriver(instruments).openPort(settings, context, signal)
        return { lost: port.lost, [Symbol.asyncDispose]: () => new Promise<void>(() => undefined) }
      },
    })
    const lab = await openLab(stubborn)
    await lab.connected('fixed', 'changed')
    lab.plugin.now(version(instruments, '2'))
    await until(() => lab.host.devices.get('changed')?.driver?.version === '2', { deadlineMs: 10_000, what: 'the old version is gone' })
    expect(lab.host.device('fixed').state.connection).toBe('CONNECTED')
    await until(() => lab.host.devices.get('changed')?.handle, { deadlineMs: 20_000, what: 'the new version has the port' })
    await lab[Symbol.asyncDispose]()
  })
})
