import { readFileSync } from 'node:fs'
import type { Driver } from '../driver.ts'
import { scpiFormat } from './format.ts'

const IDS = ['keysight-34461a', 'keysight-e36312a', 'lakeshore-336'] as const
type BuiltInId = (typeof IDS)[number]

const opened = new Map<BuiltInId, Driver>()

/** The driver of a description that comes with the program, without looking through the folder; undefined when there is none of that id. */
export function builtInScpiDriver(id: string): Driver | undefined {
  const known = IDS.find((candidate) => candidate === id)
  if (known === undefined) return undefined
  const driver = opened.get(known) ?? scpiFormat.driverOf(readFileSync(new URL(`./instruments/${known}.yaml`, import.meta.url), 'utf8'), `${known}.yaml`)
  opened.set(known, driver)
  return driver
}
