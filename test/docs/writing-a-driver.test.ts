import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Driver } from '../../drivers/driver.ts'
import type { Simulation } from '../../drivers/simulation/simulation.ts'
import { CHECKS, FAULT_CHECKS } from '../drivers/conformance/checks.ts'
import { type Pace, startSimulated } from '../drivers/conformance/instrument.ts'
import { fuzzOptions } from '../drivers/fuzz/options.ts'
import { anything, spoilt } from '../drivers/fuzz/replies.ts'

/** The driver that the guide writes: its code is taken from the page, compiled, and run through the suite. */

const ROOT = path.join(import.meta.dirname, '../..')
const GUIDE = path.join(ROOT, 'docs/writing-a-driver.md')
const TIMEOUT_MS = 120_000

type Page = {
  readonly newEraNe1000: Driver
  readonly simulation: Simulation
  readonly parsers: { readonly parseReply: (line: string, pump: number) => unknown; readonly parseRate: (data: string) => number | undefined }
}

let folder: string
let page: Page

/** Code blocks that begin with the name of their file. */
async function filesOfGuide(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(GUIDE, 'utf8')
  return new Map([...text.matchAll(/^```ts\n\/\/ drivers\/new-era-ne1000\/([\w.-]+)\n(.*?)^```$/gms)].map(([, name = '', code = '']) => [name, code]))
}

/** Beside the project's own folders by links, so that its imports lead where the page says. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-guide-'))
  const driver = path.join(folder, 'drivers/new-era-ne1000')
  await mkdir(driver, { recursive: true })
  for (const [name, code] of await filesOfGuide()) await writeFile(path.join(driver, name), elsewhere(code))
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }')
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
  const [{ newEraNe1000 }, { simulation }, parsers] = await Promise.all(
    ['driver', 'simulator', 'protocol'].map((name) => import(path.join(driver, `${name}.ts`))),
  )
  page = { newEraNe1000, simulation, parsers }
}, TIMEOUT_MS)

afterAll(() => rm(folder, { recursive: true, force: true }))

/** The code stands in another folder here: what it takes from the project is where it is. */
function elsewhere(code: string): string {
  return code.replaceAll("from '../../core/", `from '${ROOT}/core/`).replaceAll("from '../", `from '${ROOT}/drivers/`)
}

const start = (pace?: Pace) => startSimulated(page.simulation, pace, page.newEraNe1000)

test('the page has every file of the folder that it draws', async () => {
  const text = await readFile(GUIDE, 'utf8')
  const drawn = [...text.matchAll(/^ {6}([\w-]+\.ts) /gm)].map(([, name]) => name)
  expect([...(await filesOfGuide()).keys()].sort()).toEqual(drawn.sort())
})

test('what it names is there', async () => {
  const text = (await readFile(GUIDE, 'utf8')).replaceAll(/^```ts.*?^```$/gms, '')
  const named = [...text.matchAll(/`((?:drivers|test|docs)\/[\w./-]+)`/g)].map(([, name = '']) => name)
  expect(named.length).toBeGreaterThan(6)
  expect(named.filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([])
})

test('its code compiles', { timeout: TIMEOUT_MS }, async () => {
  const tsconfig = path.join(folder, 'tsconfig.json')
  await writeFile(
    tsconfig,
    JSON.stringify({
      extends: path.join(ROOT, 'tsconfig.base.json'),
      compilerOptions: {
        noEmit: true,
        rewriteRelativeImportExtensions: false,
        allowImportingTsExtensions: true,
        composite: false,
        incremental: false,
        emitDeclarationOnly: false,
        skipLibCheck: true,
        rootDir: '/',
        typeRoots: [path.join(ROOT, 'node_modules/@types')],
      },
      include: ['drivers/**/*.ts'],
    }),
  )
  const compiled = await promisify(execFile)(process.execPath, [path.join(ROOT, 'node_modules/typescript7/bin/tsc'), '-p', tsconfig]).then(
    () => '',
    (error: { readonly stdout: string }) => error.stdout,
  )
  expect(compiled).toBe('')
})

describe.concurrent('its driver', { timeout: TIMEOUT_MS }, () => {
  for (const check of [...CHECKS, ...FAULT_CHECKS]) test(check.name, () => check.run(start))
})

describe('its parsers', () => {
  const replies = ['\u000200S', '\u000200I5.000MH', '\u000200P26.59', '\u000200SI0.000W12.50ML', '\u000200SNE1000V3.928', '\u000200A?S', '\u000200S?OOR']
  const rates = ['5.000MH', '100.UM', '.5MM', '9999UH']

  test('take what the pump says', () => {
    for (const reply of replies) expect(page.parsers.parseReply(reply, 0), reply).toBeDefined()
    expect(page.parsers.parseReply('\u000201S', 0), 'another pump').toBeUndefined()
    expect(page.parsers.parseReply('00S', 0), 'a reply without its start').toBeUndefined()
    expect(rates.map(page.parsers.parseRate)).toEqual([5, 6, 30, 9.999])
  })

  test('stand whatever the line brings', () => {
    fc.assert(
      fc.property(fc.oneof(anything(replies), spoilt(replies)), (line) => void page.parsers.parseReply(line, 0)),
      fuzzOptions(),
    )
    fc.assert(
      fc.property(fc.oneof(anything(rates), spoilt(rates)), (data) => Number.isFinite(page.parsers.parseRate(data) ?? 0)),
      fuzzOptions(),
    )
  })
})
