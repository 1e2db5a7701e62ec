import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filesBelow, PROJECT, read, relativeImports } from './sources.ts'

/** Who may import whom. TypeScript's project references enforce it; here stands the law that they are compared with. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  native: ['core'],
  prisma: ['core'],
  graph: ['core'],
  link: ['core'],
  storage: ['core', 'native'],
  drivers: ['core', 'native'],
  workers: ['core', 'link', 'storage', 'prisma', 'graph', 'drivers'],
  local: ['core', 'link', 'prisma', 'graph', 'drivers'],
  api: ['core', 'link', 'storage', 'prisma', 'graph'],
  web: [],
}

/** Of native, drivers see the devices and storage the files. */
const NATIVE_PARTS: Readonly<Record<string, readonly string[]>> = {
  drivers: ['native/devices.ts', 'native/pvcam-types.ts', 'native/types.ts'],
  storage: ['native/files.ts', 'native/types.ts'],
}

const FOLDERS = Object.keys(ALLOWED)

describe.each(FOLDERS)('%s', (folder) => {
  it('references what it may import, and nothing else', () => {
    const { references = [] } = JSON.parse(read(`${folder}/tsconfig.json`)) as { references?: { path: string }[] }
    expect(references.map((reference) => path.basename(reference.path)).sort()).toEqual([...(ALLOWED[folder] ?? [])].sort())
  })

  it('imports only what it may', () => {
    const wrong = filesBelow(folder, /\.tsx?$/).flatMap((file) =>
      relativeImports(file)
        .filter((imported) => {
          const [target = ''] = imported.split('/')
          if (target === folder) return false
          return !ALLOWED[folder]?.includes(target) || (target === 'native' && NATIVE_PARTS[folder]?.includes(imported) === false)
        })
        .map((imported) => `${file} imports ${imported}`),
    )
    expect(wrong).toEqual([])
  })
})

// It lets through what a reference references in turn (api -> storage -> native): those the check of the imports above finds.
describe('the compiler', () => {
  let copy: string
  const tsc = (folder: string) =>
    spawnSync(process.execPath, [path.join(PROJECT, 'node_modules/typescript7/bin/tsc'), '-b', path.join(copy, folder)], { encoding: 'utf8' })

  // the same configuration around one small file per folder
  beforeAll(() => {
    copy = mkdtempSync(path.join(tmpdir(), 'kymograph-directions-'))
    cpSync(path.join(PROJECT, 'tsconfig.base.json'), path.join(copy, 'tsconfig.base.json'))
    cpSync(path.join(PROJECT, 'package.json'), path.join(copy, 'package.json')) // says that these are ES modules
    symlinkSync(path.join(PROJECT, 'node_modules'), path.join(copy, 'node_modules'))
    for (const folder of FOLDERS.filter((each) => each !== 'web')) {
      mkdirSync(path.join(copy, folder))
      cpSync(path.join(PROJECT, folder, 'tsconfig.json'), path.join(copy, folder, 'tsconfig.json'))
      writeFileSync(path.join(copy, folder, 'sample.ts'), `export const name = '${folder}'\n`)
    }
    execFileSync(process.execPath, [
      path.join(PROJECT, 'node_modules/typescript7/bin/tsc'),
      '-b',
      path.join(copy, 'api'),
      path.join(copy, 'workers'),
      path.join(copy, 'local'),
    ])
  })
  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  it.each([
    ['api', 'drivers'],
    ['core', 'prisma'],
    ['storage', 'link'],
    ['workers', 'local'],
  ])('refuses %s -> %s, and writes nothing beside the foreign source', (from, to) => {
    const file = path.join(copy, from, 'illegal.ts')
    writeFileSync(file, `export { name } from '../${to}/sample.ts'\n`)
    try {
      const { status, stdout } = tsc(from)
      expect(status).not.toBe(0)
      expect(stdout).toContain('TS6307')
      expect(existsSync(path.join(copy, to, 'sample.js'))).toBe(false)
    } finally {
      rmSync(file)
    }
  })

  it('takes api -> core', () => {
    writeFileSync(path.join(copy, 'api', 'legal.ts'), `export { name } from '../core/sample.ts'\n`)
    expect(tsc('api')).toMatchObject({ status: 0 })
  })
})
