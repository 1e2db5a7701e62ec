import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = path.join(import.meta.dirname, '../..')
const RECIPES = path.join(ROOT, 'docs/recipes')
const TOP_LEVEL = new Set(await readdir(ROOT))

/** `folder/file.ts` in back-ticks; what holds a <placeholder> is the reader's to make, and its folder must be there. */
function namedFiles(text: string): string[] {
  return [...text.matchAll(/`([\w.<>/-]+\/[\w.<>/-]*)`/g)]
    .map(([, name = '']) => name)
    .filter((name) => TOP_LEVEL.has(name.split('/')[0] ?? ''))
    .map((name) => (name.includes('<') ? `${name.slice(0, name.indexOf('<')).replace(/[^/]*$/, '')}` : name))
}

describe('the recipes', async () => {
  for (const recipe of (await readdir(RECIPES)).sort())
    it(`${recipe} names files that exist`, async () => {
      const files = namedFiles(await readFile(path.join(RECIPES, recipe), 'utf8'))
      expect(files.length).toBeGreaterThan(3)
      expect(files.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([])
    })
})
