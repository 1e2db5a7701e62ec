import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DRIVERS } from '../catalog.ts'
import { PluginSource } from '../plugins/plugin-source.ts'
import type { Culprit } from '../plugins/stray-errors.ts'
import { DESCRIPTION_FORMATS } from './description.ts'
import { openDescriptionFolder } from './description-folder.ts'
import { catalogOf, type DriverCatalog, listed } from './driver-catalog.ts'

export type CatalogOptions = {
  /** Descriptions of this lab's instruments. */
  readonly instrumentsDir: string
  /** Absolute paths, or packages that are installed below `pluginsDir`. */
  readonly plugins: readonly string[]
  readonly pluginsDir: string
  /** Load a plugin again when its files change. */
  readonly watchPlugins: boolean
  readonly log: (line: string) => void
  /** What a person must mend. */
  readonly warn: (line: string) => void
}

export type OpenedCatalog = DriverCatalog & AsyncDisposable & { readonly culprits: () => readonly Culprit[] }

const PATIENCE_MS = 3_000 // a plugin that takes longer is in the catalogue when it is there; the rest need not wait for it

/** Every driver that this machine has: the built-in ones, those of descriptions, those of plugins; of two with one id the first in this order. */
export async function openCatalog({ instrumentsDir, plugins, pluginsDir, watchPlugins, log, warn }: CatalogOptions): Promise<OpenedCatalog> {
  const pluginSources = [...new Set(plugins)].map((place) => new PluginSource({ place, pluginsDir, watch: watchPlugins, log, warn }))
  const folders = await Promise.all([
    ...DESCRIPTION_FORMATS.map(({ protocol }) =>
      openDescriptionFolder({
        name: `built-in ${protocol} descriptions`,
        folder: fileURLToPath(new URL(`../${protocol}/`, import.meta.url)),
        formats: DESCRIPTION_FORMATS,
        fixed: true,
        log,
        warn,
      }),
    ),
    openDescriptionFolder({ name: `descriptions in ${instrumentsDir}`, folder: instrumentsDir, formats: DESCRIPTION_FORMATS, log, warn }),
  ])
  const waiting = new AbortController()
  await Promise.race([
    Promise.all(pluginSources.map(({ loaded }) => loaded)),
    pause(PATIENCE_MS, undefined, { signal: waiting.signal }).catch(() => undefined), // the plugins were faster
  ])
  waiting.abort()
  return Object.assign(catalogOf([listed('built-in drivers', DRIVERS), ...folders, ...pluginSources]), {
    culprits: () => pluginSources.flatMap(({ culprit }) => (culprit === undefined ? [] : [culprit])),
    async [Symbol.asyncDispose]() {
      for (const part of [...pluginSources, ...folders]) await part[Symbol.asyncDispose]()
    },
  })
}
