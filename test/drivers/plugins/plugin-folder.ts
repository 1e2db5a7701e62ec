import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PluginSource } from '../../../drivers/plugins/plugin-source.ts'

/** A driver of one number in memory, as a plugin's author would write it. `MORE` stands for what a test adds to the driver. */
export const COUNTER = `
export default ({ problems, settings }) => {
  const address = settings.addressSetting('tcp://127.0.0.1:9')
  const driver = {
    id: 'acme-counter',
    vendor: 'Acme',
    model: 'Counter',
    version: '1.0.0',
    portKind: 'TCP',
    settings: [address],
    capabilities: ['PARAMETERIZED', 'SETTABLE', 'READABLE'],
    locate: (given) => {
      settings.refuseUnknown(given, [address])
      return { address: settings.addressOf(given, 'tcp') }
    },
    openPort: async () => ({ lost: new AbortController().signal, [Symbol.asyncDispose]: async () => undefined }),
    openDevice: async () => {
      let count = 7
      return {
        identity: 'Acme Counter 1.0.0',
        parameters: [{ name: 'count', description: 'What was counted', kind: 'FLOAT', access: 'READ_WRITE', minimum: 0, maximum: 100, pollMs: 100 }],
        readout: { parameter: 'count' },
        read: async (names) => new Map(names.map((name) => [name, name === 'count' ? { value: count } : { bad: 'unknown' }])),
        write: async (name, value) => {
          if (value === 13) throw new problems.HardwareFault('13 is bad luck', 'NONE', { instrumentCode: '13' })
          count = value
          return count
        },
        [Symbol.asyncDispose]: async () => undefined,
      }
    },
    /* MORE */
  }
  return { drivers: [driver] }
}
`

export type PluginFolder = AsyncDisposable & {
  readonly folder: string
  readonly log: string[]
  write(file: string, text: string): Promise<void>
  manifest(kymograph: unknown, more?: object): Promise<void>
  /** Loaded once; disposed with the folder. */
  open(options?: { readonly watch?: boolean; readonly place?: string; readonly loadWithinMs?: number }): Promise<PluginSource>
}

export async function pluginFolder(drivers?: string): Promise<PluginFolder> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'plugin-')))
  const opened: PluginSource[] = []
  const log: string[] = []
  const plugin: PluginFolder = {
    folder,
    log,
    async write(file, text) {
      await mkdir(dirname(join(folder, file)), { recursive: true })
      await writeFile(join(folder, file), text)
    },
    manifest: (kymograph, more = {}) =>
      plugin.write('package.json', JSON.stringify({ name: 'acme', version: '1.0.0', type: 'module', ...(kymograph !== undefined && { kymograph }), ...more })),
    async open({ watch = false, place = folder, loadWithinMs = 10_000 } = {}) {
      const source = new PluginSource({
        place,
        pluginsDir: join(folder, 'plugins'),
        watch,
        loadWithinMs,
        log: (line) => log.push(line),
        warn: (line) => log.push(line),
        execArgv: ['--import', 'tsx'],
      })
      opened.push(source)
      await source.loaded
      return source
    },
    async [Symbol.asyncDispose]() {
      for (const source of opened) await source[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
  if (drivers !== undefined) {
    await plugin.manifest({ api: 1, drivers: './drivers.js' })
    await plugin.write('drivers.js', drivers)
  }
  return plugin
}
