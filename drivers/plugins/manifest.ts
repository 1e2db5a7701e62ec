import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { InvalidValue, messageOf } from '../../core/errors.ts'
import { PLUGIN_API_VERSION } from '../plugin-api.ts'

/** What a plugin's package.json says. */
export type PluginManifest = {
  readonly name: string
  readonly version: string
  /** Absolute: the module that exports the plugin. */
  readonly entry: string
}

const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/ // as npm allows them today
const MAX_MANIFEST_BYTES = 1024 * 1024 // npm's own are a hundredth of it

/** The folder of a plugin that a person named: an absolute path, or a package installed below `pluginsDir`. Throws InvalidValue. */
export function pluginFolder(place: string, pluginsDir: string): string {
  if (isAbsolute(place)) return place
  if (PACKAGE_NAME.test(place)) return join(pluginsDir, 'node_modules', place)
  throw new InvalidValue(`${JSON.stringify(place)} is neither an absolute path nor the name of an npm package`, ['PLUGINS'])
}

/** Throws InvalidValue that says what of package.json is missing or not allowed. */
export async function readManifest(folder: string): Promise<PluginManifest> {
  const file = join(folder, 'package.json')
  const refuse = (sentence: string): never => {
    throw new InvalidValue(`${file}: ${sentence}`, ['package.json'])
  }
  const { name, version, kymograph } = fields(await contents(file)) ?? refuse('is not a JSON object')
  const { api, drivers } = fields(kymograph) ?? refuse(`has no "kymograph": { "api": ${PLUGIN_API_VERSION}, "drivers": "./<module>.js" }`)
  if (api !== PLUGIN_API_VERSION) return refuse(`it is written for plugin API ${JSON.stringify(api)}; this is plugin API ${PLUGIN_API_VERSION}`)
  if (typeof name !== 'string' || !PACKAGE_NAME.test(name)) return refuse('"name" must be a package name')
  if (typeof version !== 'string' || version === '') return refuse('"version" must be a text such as "1.0.0"')
  if (typeof drivers !== 'string') return refuse('"kymograph"."drivers" must be the path of a module, such as "./drivers.js"')
  const entry = join(folder, drivers)
  if (isAbsolute(drivers) || relative(folder, entry).startsWith('..')) return refuse(`"kymograph"."drivers" is ${drivers}: it must lie in the plugin's folder`)
  const found = await stat(entry).catch(() => undefined) // told in our words
  if (found?.isFile() !== true) return refuse(`"kymograph"."drivers" is ${drivers}, and there is no such file`)
  return { name, version, entry }
}

async function contents(file: string): Promise<unknown> {
  try {
    const { size } = await stat(file)
    if (size > MAX_MANIFEST_BYTES) throw new Error(`${size} bytes are too many`)
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new InvalidValue(`${file} cannot be read: ${messageOf(error)}`, ['package.json'])
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
}
