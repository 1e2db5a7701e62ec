import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCatalog } from '../../../drivers/catalog/open-catalog.ts'
import { until } from '../../until.ts'
import { HEAD } from './scripted.ts'

const DESCRIPTION = `${HEAD}parameters:\n  voltage: { description: Set, kind: float, unit: V, query: VOLT? }\n`

test('descriptions are drivers: those that come with the program, and one that is written while it runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kymograph-scpi-'))
  try {
    const log = (): void => undefined
    await using catalog = await openCatalog({ instrumentsDir: folder, plugins: [], pluginsDir: folder, watchPlugins: false, log, warn: log })
    for (const id of ['keysight-34461a', 'keysight-e36312a', 'lakeshore-336']) expect(catalog.find(id)?.id).toBe(id)
    expect(catalog.find('acme-tiny')).toBeUndefined()

    const file = join(folder, 'acme-tiny.yaml')
    await writeFile(file, DESCRIPTION)
    const first = await until(() => catalog.find('acme-tiny'), { what: 'the new driver' })
    expect(first.capabilities).toEqual(['PARAMETERIZED'])

    await writeFile(file, `${DESCRIPTION}readuot: voltage\n`)
    const told = await until(() => catalog.reports.flatMap(({ problems }) => problems).find((problem) => problem.includes('readuot')), { what: 'the problem' })
    expect(told).toContain('acme-tiny.yaml:11:1: readuot is not known here; did you mean readout?')
    expect(catalog.find('acme-tiny')).toBe(first)

    await writeFile(file, `${DESCRIPTION}readout: voltage\n`)
    await until(() => catalog.find('acme-tiny') !== first, { what: 'the next version' })
    expect(catalog.find('acme-tiny')?.capabilities).toEqual(['READABLE', 'PARAMETERIZED'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
