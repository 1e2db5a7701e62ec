import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesBelow, PROJECT, read, relativeImports } from './sources.ts'

const FOLDERS = ['core', 'link', 'storage', 'native', 'prisma', 'graph', 'drivers', 'workers', 'local', 'api', 'web', 'test', 'bench']
const SOURCES = FOLDERS.flatMap((folder) => filesBelow(folder, /\.(tsx?|mjs)$/)).filter((file) => !file.endsWith('.d.ts'))
const MOST_LINES = 400

/** A list and the folder that it lists: adding one of these is a new file or folder and one line. */
const LISTS: readonly { readonly list: string; readonly folder: string; readonly entries: 'folders' | 'files' }[] = [
  { list: 'drivers/catalog/open-catalog.ts', folder: 'drivers', entries: 'folders' },
  { list: 'storage/formats/index.ts', folder: 'storage/formats', entries: 'files' },
  { list: 'storage/importers/index.ts', folder: 'storage/importers', entries: 'files' },
  { list: 'storage/importers/index.ts', folder: 'storage/importers', entries: 'files' },
  { list: 'workers/jobs/index.ts', folder: 'workers/jobs', entries: 'files' },
  { list: 'core/plans/plans.ts', folder: 'core/plans', entries: 'files' },
  { list: 'api/schema/index.ts', folder: 'api/schema', entries: 'files' },
  { list: 'web/src/panels/index.ts', folder: 'web/src/panels', entries: 'folders' },
]

describe('each list names everything in its folder', () => {
  it.each(LISTS)('$list', ({ list, folder, entries }) => {
    const there = readdirSync(path.join(PROJECT, folder), { withFileTypes: true })
      .filter((entry) => (entries === 'folders' ? entry.isDirectory() && entry.name !== 'node_modules' : entry.name.endsWith('.ts')))
      .map((entry) => `${folder}/${entry.name}`)
    const reached = reachable(list)
    expect(there.filter((entry) => !reached.has(entry) && ![...reached].some((file) => file.startsWith(`${entry}/`)))).toEqual([])
  })
})

/** What a list imports, and what that imports: the parts of an entry need no line of their own. */
function reachable(from: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(from) || !existsSync(path.join(PROJECT, from))) return seen
  seen.add(from)
  for (const imported of relativeImports(from)) reachable(imported, seen)
  return seen
}

describe('the sources', () => {
  it('are not kept in files without a subject', () => {
    expect(SOURCES.filter((file) => /(^|\/)(utils?|helpers?|common|shared|lib|misc)(\/|\.)/.test(file))).toEqual([])
  })

  it('have no index but of lists', () => {
    const lists = new Set(LISTS.map(({ list }) => list))
    expect(SOURCES.filter((file) => /(^|\/)index\.tsx?$/.test(file) && !lists.has(file))).toEqual([])
  })

  it('stay readable in one sitting', () => {
    expect(SOURCES.filter((file) => read(file).split('\n').length > MOST_LINES)).toEqual([])
  })

  it('read the environment in one place of each process', () => {
    const allowed = /(^|\/)(config|main)\.ts$|^test\/|^bench\/|^start\.mjs$|^(prisma\/generate|native\/build)\.mjs$|\.config\.ts$/
    expect(SOURCES.filter((file) => !allowed.test(file) && /\bprocess\.env\b/.test(read(file)))).toEqual([])
  })

  it('have no way round the types', () => {
    const forbidden = new RegExp(['@ts-' + 'ignore', '\\bas ' + 'never(?! set)\\b', '@ts-' + 'expect-error', '\\bas ' + 'any\\b'].join('|'))
    expect(SOURCES.filter((file) => forbidden.test(read(file)))).toEqual([])
  })
})

describe('.env.example', () => {
  it('names every variable that a config.ts reads', () => {
    const example = read('.env.example')
    const read_ = SOURCES.filter((file) => /(^|\/)config\.ts$/.test(file)).flatMap((file) =>
      [...read(file).matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)'/g)].map(([, name = '']) => ({ file, name })),
    )
    const internal = new Set(['DATABASE_EMBEDDED', 'KYMOGRAPH_COMMIT']) // set by npm start, not by people
    expect(read_.filter(({ name }) => name.length > 3 && !internal.has(name) && !new RegExp(`^#?\\s*${name}=`, 'm').test(example))).toEqual([])
  })

  it('is loaded by no process of ours: docker compose reads a copy, a process only its environment', () => {
    expect(SOURCES.filter((file) => file !== 'test/architecture/layout.test.ts' && /dotenv|loadEnvFile|--env-file/.test(read(file)))).toEqual([])
  })
})
