import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { Kind, parse, print, type SelectionSetNode, visit } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestLab, type TestLab } from './lab.ts'

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab()
})
afterAll(() => lab.close())

/** As the dashboard's client sends it: with __typename in every selection but the first. */
function sent(text: string): string {
  const typename = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } } as const
  const inside = (selection: SelectionSetNode): SelectionSetNode => ({ ...selection, selections: [...selection.selections, typename] })
  return print(
    visit(parse(text), { Field: (field) => (field.selectionSet === undefined ? undefined : { ...field, selectionSet: inside(field.selectionSet) }) }),
  )
}

test('no query of the dashboard asks for more than one request may cost', async () => {
  const sources = path.join(import.meta.dirname, '../../web/src')
  const files = (await readdir(sources, { recursive: true })).filter((name) => /\.tsx?$/.test(name))
  const texts = await Promise.all(files.map((file) => readFile(path.join(sources, file), 'utf8')))
  const queries = texts.flatMap((text) => [...text.matchAll(/= graphql\(`(\s*query [^`]*)`\)/g)].map((match) => match[1] ?? ''))
  expect(queries.length).toBeGreaterThan(5)
  for (const query of queries.filter((text) => !text.includes('!)'))) {
    const { errors } = await lab.ask(sent(query))
    expect(errors?.filter(({ extensions }) => extensions?.['code'] === 'OPERATION_TOO_LARGE') ?? [], query).toEqual([])
  }
})
