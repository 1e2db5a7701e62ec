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

describe('the pages beside them', async () => {
  const pages = (await readdir(path.join(ROOT, 'docs'), { recursive: true })).filter((page) => page.endsWith('.md')).sort()
  for (const page of pages.filter((each) => !each.startsWith('recipes/')))
    it(`${page} names files that exist`, async () => {
      const files = namedFiles(await readFile(path.join(ROOT, 'docs', page), 'utf8'))
      expect(files.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([])
    })

  it('are found from the README: each by itself, the decisions by their folder', async () => {
    const readme = await readFile(path.join(ROOT, 'README.md'), 'utf8')
    const linked = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, target = '']) => target).filter((target) => !target.includes('://'))
    expect(linked.filter((target) => !existsSync(path.join(ROOT, target)))).toEqual([])
    expect(pages.filter((page) => !linked.includes(`docs/${page}`) && !page.startsWith('decisions/'))).toEqual([])
    expect(linked).toContain('docs/decisions')
  })
})
