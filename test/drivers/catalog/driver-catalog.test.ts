import { expect, test } from 'vitest'
import { catalogOf, type DriverSource, Listeners, listed } from '../../../drivers/catalog/driver-catalog.ts'
import type { Driver } from '../../../drivers/driver.ts'

function driver(id: string, version = '1'): Driver {
  return {
    id,
    vendor: 'Test',
    model: id,
    version,
    portKind: 'SERIAL',
    settings: [],
    capabilities: [],
    locate: () => ({ address: 'serial:///dev/null' }),
    openPort: () => Promise.reject(new Error('not opened here')),
    openDevice: () => Promise.reject(new Error('not opened here')),
  }
}

function changing(name: string): DriverSource & { now(...drivers: readonly Driver[]): void } {
  const listeners = new Listeners()
  let drivers: readonly Driver[] = []
  return {
    name,
    problems: [],
    get drivers() {
      return drivers
    },
    onChange: (listener) => listeners.add(listener),
    now(...next) {
      drivers = next
      listeners.tell()
    },
  }
}

test('a driver that an earlier source has is refused to a later one, by name', () => {
  const first = driver('acme-meter')
  const catalog = catalogOf([listed('built-in drivers', [first]), listed('plugin acme', [driver('acme-meter'), driver('acme-stage')])])
  expect(catalog.find('acme-meter')).toBe(first)
  expect(catalog.drivers.map(({ id }) => id)).toEqual(['acme-meter', 'acme-stage'])
  expect(catalog.reports).toEqual([
    { source: 'built-in drivers', problems: [] },
    { source: 'plugin acme', problems: ['driver acme-meter is refused: built-in drivers has one of this name already'] },
  ])
})

test('one source cannot have a name twice', () => {
  const catalog = catalogOf([listed('plugin acme', [driver('acme-meter'), driver('acme-meter', '2')])])
  expect(catalog.find('acme-meter')?.version).toBe('1')
  expect(catalog.reports[0]?.problems).toEqual(['driver acme-meter is refused: this source has it twice'])
})

test('what a source has now is what the catalogue has, and whoever listens hears of it', () => {
  const plugin = changing('plugin acme')
  const catalog = catalogOf([listed('built-in drivers', [driver('a-b')]), plugin])
  const heard: string[][] = []
  const forget = catalog.onChange(() => heard.push(catalog.drivers.map(({ id, version }) => `${id} ${version}`)))
  plugin.now(driver('c-d'))
  plugin.now(driver('c-d', '2'))
  plugin.now()
  forget()
  plugin.now(driver('e-f'))
  expect(heard).toEqual([['a-b 1', 'c-d 1'], ['a-b 1', 'c-d 2'], ['a-b 1']])
  expect(catalog.find('e-f')?.id).toBe('e-f')
})

test('when the earlier one goes, the later one takes its place', () => {
  const plugin = changing('plugin one')
  const catalog = catalogOf([plugin, listed('plugin two', [driver('x-y', '2')])])
  plugin.now(driver('x-y', '1'))
  expect(catalog.find('x-y')?.version).toBe('1')
  plugin.now()
  expect(catalog.find('x-y')?.version).toBe('2')
  expect(catalog.reports.every(({ problems }) => problems.length === 0)).toBe(true)
})
