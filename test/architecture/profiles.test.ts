import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { filesBelow, PROJECT, read, relativeImports } from './sources.ts'

/** What says on which servers a test stands. */
const SERVERS = 'test/harness/services.ts'
/** Folders of tests that are about the local profile, about the services profile, or the same on both behind a browser. */
const ON_ONE_PROFILE = ['test/local', 'test/services', 'test/web']

it('every test that stands on a database, a queue or a graph runs on real servers too', () => {
  const [, list = ''] = /const ON_BOTH_PROFILES = \[([^\]]*)\]/.exec(read('vitest.config.ts')) ?? []
  const both = [...list.matchAll(/'([^']+)'/g)].map(([, folder]) => `test/${folder}`)
  const standing = new Set(
    filesBelow('test', /\.test\.ts$/)
      .filter((file) => reaches(file, SERVERS))
      .map((file) => dirname(file)),
  )
  expect([...standing].filter((folder) => !ON_ONE_PROFILE.includes(folder)).sort()).toEqual(both.sort())
})

function reaches(from: string, wanted: string, seen = new Set<string>()): boolean {
  if (from === wanted) return true
  if (seen.has(from) || !from.startsWith('test/') || !existsSync(join(PROJECT, from))) return false
  seen.add(from)
  return relativeImports(from).some((imported) => reaches(imported, wanted, seen))
}
