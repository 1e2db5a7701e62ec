import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { PluginSource } from '../../../drivers/plugins/plugin-source.ts'
import { until } from '../../until.ts'
import { COUNTER, pluginFolder } from './plugin-folder.ts'

const version = (number: string): string => COUNTER.replace(`version: '1.0.0'`, `version: '${number}'`)
const versions = (source: PluginSource): string => source.drivers.map((driver) => driver.version).join()

it('a plugin that is not watched is loaded once', async () => {
  await using plugin = await pluginFolder(COUNTER)
  await plugin.open()
  expect(await readdir(plugin.folder)).toEqual(['drivers.js', 'package.json'])
})

it('each edit of a watched plugin is a new version, in a fresh module; a broken one leaves the old version and is told', async () => {
  await using plugin = await pluginFolder(
    COUNTER.replace(`version: '1.0.0'`, 'version').replace('export', `import { version } from './parts/version.js'\nexport`),
  )
  await plugin.write('parts/version.js', `export const version = '1'`)
  const source = await plugin.open({ watch: true })
  expect([versions(source), source.problems]).toEqual(['1', []])
  const [first] = source.drivers
  let told = 0
  source.onChange(() => {
    told += 1
  })

  await plugin.write('parts/version.js', `export const version = '2'`) // not the module that the manifest names
  await until(() => versions(source) === '2', { what: 'the edit is loaded', deadlineMs: 30_000 })
  expect(source.drivers[0]).not.toBe(first)

  const [second] = source.drivers
  await plugin.write('parts/version.js', `export const version = `)
  await until(() => source.problems.length === 1, { what: 'the broken edit is told', deadlineMs: 30_000 })
  expect(source.drivers[0]).toBe(second)
  expect(source.problems[0]).toContain('Unexpected')
  expect(plugin.log.at(-1)).toMatch(/; what was loaded before goes on$/)

  await plugin.write('parts/version.js', `export const version = '3'`)
  await until(() => versions(source) === '3', { what: 'the mended edit is loaded', deadlineMs: 30_000 })
  expect(source.problems).toEqual([])
  expect(told).toBe(3)
}, 100_000)

it('a package that is a link, as npm makes one of a folder, is watched where it leads', async () => {
  await using plugin = await pluginFolder(COUNTER)
  await mkdir(join(plugin.folder, 'plugins/node_modules'), { recursive: true })
  await symlink(plugin.folder, join(plugin.folder, 'plugins/node_modules/acme'))
  const source = await plugin.open({ watch: true, place: 'acme' })
  expect([versions(source), source.problems]).toEqual(['1.0.0', []])
  await plugin.write('drivers.js', version('2'))
  await until(() => versions(source) === '2', { what: 'the edit is loaded', deadlineMs: 30_000 })
}, 60_000)

it('a plugin that is not there yet is found when it comes, and leaves no copies behind', async () => {
  await using plugin = await pluginFolder()
  const source = await plugin.open({ watch: true })
  expect(source.problems[0]).toContain('package.json cannot be read')
  await plugin.write('drivers.js', version('5'))
  await plugin.manifest({ api: 1, drivers: './drivers.js' })
  await until(() => versions(source) === '5', { what: 'the plugin is loaded', deadlineMs: 30_000 })
  expect(await readdir(join(plugin.folder, '.kymograph'))).toContain(`${process.pid}-1`)
  await source[Symbol.asyncDispose]()
  expect(await readdir(join(plugin.folder, '.kymograph'))).toEqual(['.gitignore'])
})

it('what a killed process left behind is removed by the next one', async () => {
  await using plugin = await pluginFolder(COUNTER)
  await plugin.write('.kymograph/4194305-1/drivers.js', '') // above the highest process id of Linux
  await plugin.write(`.kymograph/${process.ppid}-1/drivers.js`, '')
  await plugin.open({ watch: true })
  expect((await readdir(join(plugin.folder, '.kymograph'))).sort()).toEqual(['.gitignore', `${process.pid}-1`, `${process.ppid}-1`].sort())
  await writeFile(join(plugin.folder, 'drivers.js'), COUNTER)
})
