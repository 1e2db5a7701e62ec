import { existsSync, readFileSync } from 'node:fs'
import type { Driver } from '../driver.ts'
import { scpiFormat } from './format.ts'

const IDS = ['keysight-34461a', 'keysight-e36312a', 'lakeshore-336'] as const
type BuiltInId = (typeof IDS)[number]

/** Beside this file, and from the compiled tree beside its source. */
const FOLDERS = ['./instruments/', '../../../drivers/scpi/instruments/']

const opened = new Map<BuiltInId, Driver>()

/** The driver of a description that comes with the program, without looking through the folder; undefined when there is none of that id. */
export function builtInScpiDriver(id: string): Driver | undefined {
  const known = IDS.find((candidate) => candidate === id)
  if (known === undefined) return undefined
  const driver = opened.get(known) ?? scpiFormat.driverOf(textOf(`${known}.yaml`), `${known}.yaml`)
  opened.set(known, driver)
  return driver
}

function textOf(file: string): string {
  const places = FOLDERS.map((folder) => new URL(folder + file, import.meta.url))
  const place = places.find((candidate) => existsSync(candidate))
  if (place === undefined) throw new Error(`${file} is missing: it belongs to the program`)
  return readFileSync(place, 'utf8')
}
