import { pathToFileURL } from 'node:url'
import { InvalidValue } from '../../core/errors.ts'
import type { Driver } from '../driver.ts'
import { checkedOffer } from './check-driver.ts'
import { kymograph } from './kymograph.ts'
import { refuse } from './shape.ts'

/** Imports the module and calls what it exports. Throws whatever the plugin throws, or InvalidValue that says what of its answer is not a driver. */
export async function loadDrivers(entry: string, withinMs: number): Promise<readonly Driver[]> {
  const late = new InvalidValue(`it was not loaded within ${withinMs / 1000} s: it waits for something`, ['drivers'])
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), withinMs)
  })
  try {
    return await Promise.race([offerOf(entry), deadline])
  } finally {
    clearTimeout(timer)
  }
}

async function offerOf(entry: string): Promise<readonly Driver[]> {
  const module: unknown = await import(pathToFileURL(entry).href)
  return checkedOffer(await defaultOf(module)(kymograph))
}

/** Compilers from TypeScript to CommonJS put the default export one level down. */
function defaultOf(module: unknown): (given: unknown) => unknown {
  const outer = property(module, 'default')
  const found = typeof outer === 'function' ? outer : property(outer, 'default')
  return typeof found === 'function' ? (given) => Reflect.apply(found, undefined, [given]) : refuse('its default export', found ?? outer, 'give a function')
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
