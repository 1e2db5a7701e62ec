import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import type { DeviceHandle, Driver, DriverContext, DriverPort } from '../../drivers/driver.ts'
import { systemClock } from '../../workers/station/clock.ts'
import { pluginFolder } from '../drivers/plugins/plugin-folder.ts'

/** The recipe is followed word for word: its code is what runs here. */

const ROOT = path.join(import.meta.dirname, '../..')
const recipe = await readFile(path.join(ROOT, 'docs/recipes/add-a-driver-from-outside.md'), 'utf8')
const signal = new AbortController().signal

function blocks(language: string): readonly string[] {
  return [...recipe.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code = '']) => code)
}

type Opened = { readonly port: DriverPort; readonly device: DeviceHandle }

async function open(driver: Driver | undefined, address: string, tcpPort = 0): Promise<Opened> {
  if (driver === undefined) throw new Error('the plugin has no driver')
  const resolve: DriverContext['resolve'] = async () => ({ kind: 'tcp', host: '127.0.0.1', port: tcpPort, simulated: false })
  const context = { clock: systemClock(), resolve, log: () => undefined, workFolder: ROOT }
  expect(driver.locate({ address }).address).toBe(address)
  const port = await driver.openPort({ address }, context, signal)
  return { port, device: await driver.openDevice(port, { address }, context, signal) }
}

/** Answers lines. */
async function serve(answers: Readonly<Record<string, string>>): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((socket) => socket.on('data', (bytes) => socket.write(`${answers[bytes.toString().trim()]}\n`)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: async () => await new Promise((resolve) => server.close(() => resolve())),
  }
}

it('the plugin of the recipe reads its thermometer', async () => {
  await using plugin = await pluginFolder()
  const [manifest = ''] = blocks('json')
  const [drivers = ''] = blocks('js')
  await plugin.write('package.json', manifest)
  await plugin.write('drivers.js', drivers)
  const source = await plugin.open()
  expect([source.name, source.problems]).toEqual(['plugin acme-thermometer', []])

  await using thermometer = await serve({ 'ID?': 'ACME T1 4711', 'T?': '21.5' })
  const { device, port } = await open(source.drivers[0], `tcp://127.0.0.1:${thermometer.port}`, thermometer.port)
  expect(device.identity).toBe('ACME T1 4711')
  expect(await device.read(['temperature'], signal)).toEqual(new Map([['temperature', { value: 21.5 }]]))
  await port[Symbol.asyncDispose]()
})

it('the plugin of the recipe is well typed', async () => {
  await using plugin = await pluginFolder()
  const [drivers = ''] = blocks('js')
  await plugin.write('drivers.js', drivers)
  const compilerOptions = {
    ...{
      strict: true,
      allowJs: true,
      checkJs: true,
      noEmit: true,
      skipLibCheck: true,
      module: 'nodenext',
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
    },
    ...{ types: ['node'], typeRoots: [path.join(ROOT, 'node_modules/@types')], paths: { 'kymograph/*': [`${ROOT}/*`] } },
  }
  await plugin.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['drivers.js'] }))
  const compiled = promisify(execFile)(process.execPath, [path.join(ROOT, 'node_modules/typescript7/bin/tsc'), '-p', plugin.folder])
  expect(await compiled.catch(({ stdout }: { readonly stdout: string }) => ({ stdout }))).toMatchObject({ stdout: '' })
})

it('the library of the recipe compiles without a warning, and is driven', async () => {
  await using plugin = await pluginFolder()
  const [code = ''] = blocks('c')
  const [, drivers = ''] = blocks('js')
  await plugin.manifest({ api: 1, drivers: './drivers.js' })
  await plugin.write('drivers.js', drivers)
  await plugin.write('supply.c', code)
  const flags = ['-shared', '-fPIC', '-Wall', '-Wextra', '-Werror', '-I', path.join(ROOT, 'native/include')]
  await promisify(execFile)('cc', [...flags, '-o', path.join(plugin.folder, 'libsupply.so'), path.join(plugin.folder, 'supply.c')])
  const source = await plugin.open()
  expect(source.problems).toEqual([])
  const { device } = await open(source.drivers[0], 'usb:1')
  expect(await device.write?.('voltage', 12.5, signal)).toBe(12.5)
  expect(await device.read(['voltage'], signal)).toEqual(new Map([['voltage', { value: 12.5 }]]))
  await device[Symbol.asyncDispose]()
})
