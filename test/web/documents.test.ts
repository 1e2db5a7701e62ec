import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { buildSchema, parse, validate } from 'graphql'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '../..')
const run = promisify(execFile)

async function documents(): Promise<{ file: string; text: string }[]> {
  const sources = path.join(root, 'web/src')
  const files = (await readdir(sources, { recursive: true })).filter((name) => /\.tsx?$/.test(name))
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(path.join(sources, file), 'utf8')
      return [...text.matchAll(/= graphql\(`([^`]*)`\)/g)].map((match) => ({ file, text: match[1] ?? '' }))
    }),
  )
  return found.flat()
}

test('every document of the dashboard is valid against the printed schema', async () => {
  const schema = buildSchema(await readFile(path.join(root, 'api/schema.graphql'), 'utf8'))
  const all = await documents()
  expect(all.length).toBeGreaterThan(20)
  const problems = all.flatMap(({ file, text }) => validate(schema, parse(text)).map((problem) => `${file}: ${problem.message}`))
  expect(problems).toEqual([])
  const names = all.map(({ text }) => /(?:query|mutation|subscription) (\w+)/.exec(text)?.[1])
  expect(new Set(names).size).toBe(names.length)
})

test('the types of the documents are those of the printed schema', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-web-'))
  try {
    const output = path.join(folder, 'graphql-env.d.ts')
    const cli = path.join(root, 'node_modules/gql.tada/bin/cli.js')
    await run(process.execPath, [cli, 'generate-output', '--tsconfig', path.join(root, 'web/tsconfig.json'), '--output', output], {
      cwd: path.join(root, 'web'),
    })
    expect(await readFile(output, 'utf8'), 'run `npx gql.tada generate-output` in web/').toBe(await readFile(path.join(root, 'web/graphql-env.d.ts'), 'utf8'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
