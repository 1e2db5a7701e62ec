import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type OpenedCatalog, openCatalog } from '../../../drivers/catalog/open-catalog.ts'
import { DRIVERS } from '../../../drivers/catalog.ts'

async function withCatalog(texts: Readonly<Record<string, string>>, look: (catalog: OpenedCatalog, folder: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'catalog-'))
  try {
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text)
    const quiet = { log: () => undefined, warn: () => undefined }
    await using catalog = await openCatalog({ instrumentsDir: folder, plugins: ['not a package'], pluginsDir: folder, watchPlugins: false, ...quiet })
    look(catalog, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

it('has every built-in driver and every description that comes with the program, and nothing is wrong with them', async () => {
  await withCatalog({}, (catalog, folder) => {
    expect(catalog.drivers).toEqual(expect.arrayContaining([...DRIVERS]))
    expect(catalog.drivers.length).toBeGreaterThan(DRIVERS.length + 4)
    expect(catalog.find('keysight-34461a')).toMatchObject({ vendor: 'Keysight' })
    const built = catalog.reports.filter(({ source }) => source.startsWith('built-in'))
    expect(built.map(({ source, problems }) => [source, problems])).toEqual([
      ['built-in drivers', []],
      ['built-in modbus descriptions', []],
      ['built-in scpi descriptions', []],
    ])
    expect(catalog.reports).toContainEqual({ source: `descriptions in ${folder}`, problems: [] })
  })
})

it('refuses by name what an earlier source has, and tells of a plugin that there is not', async () => {
  const text = await readFile(join(import.meta.dirname, '../../../drivers/scpi/instruments/keysight-34461a.yaml'), 'utf8')
  await withCatalog({ 'ours.yaml': text, 'saw.yaml': text.replace('id: keysight-34461a', 'id: smart-saw') }, (catalog, folder) => {
    const reports = new Map(catalog.reports.map(({ source, problems }) => [source, problems]))
    expect(reports.get(`descriptions in ${folder}`)).toEqual([
      'driver keysight-34461a is refused: built-in scpi descriptions has one of this name already',
      'driver smart-saw is refused: built-in drivers has one of this name already',
    ])
    expect(reports.get('plugin not a package')).toEqual(['"not a package" is neither an absolute path nor the name of an npm package'])
  })
})
