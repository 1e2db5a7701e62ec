import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type GraphQLObjectType, getNamedType, isInputObjectType, isObjectType, isUnionType } from 'graphql'
import { describe, expect, it } from 'vitest'
import { printedSchema } from '../../api/printed-schema.ts'
import { buildSchema } from '../../api/schema/index.ts'
import { PLANS } from '../../core/plans/plans.ts'

const API = join(import.meta.dirname, '../../api')
const schema = buildSchema()

describe('the GraphQL schema', () => {
  it('is the committed one', async () => {
    expect(printedSchema(), 'after a change of the schema: npx tsc -b api && node dist/api/print-schema.js').toBe(
      await readFile(join(API, 'schema.graphql'), 'utf8'),
    )
  })

  it('lets any two members of a union be selected side by side', () => {
    for (const union of Object.values(schema.getTypeMap()).filter(isUnionType)) {
      const types = new Map<string, string>()
      for (const member of union.getTypes())
        for (const [name, { type }] of Object.entries(member.getFields())) {
          expect(types.get(name) ?? String(type), `${union.name}: ${name} of ${member.name}`).toBe(String(type))
          types.set(name, String(type))
        }
    }
  })

  it('answers every mutation but emergencyStop with a union of its payload and problems', () => {
    for (const [name, { type }] of Object.entries(schema.getMutationType()?.getFields() ?? {})) {
      const named = getNamedType(type)
      if (name === 'emergencyStop') expect(isObjectType(named)).toBe(true)
      else
        expect(
          isUnionType(named) &&
            named.getTypes().filter((member: GraphQLObjectType) => member.getInterfaces().some(({ name }) => name === 'Problem')).length >= 2,
          name,
        ).toBe(true)
    }
  })

  it('has an input for each plan there is', () => {
    const input = schema.getType('PlanInput')
    expect(isInputObjectType(input) && Object.keys(input.getFields()).sort()).toEqual(Object.keys(PLANS).sort())
  })

  it('lists every file of its folder that adds a field to a root type or implements a noun', async () => {
    const list = await readFile(join(API, 'schema/index.ts'), 'utf8')
    for (const file of await readdir(join(API, 'schema'))) {
      const text = await readFile(join(API, 'schema', file), 'utf8')
      const adds = /builder\.(query|mutation|subscription|object)Fields?\(|^\w+Ref\.implement\(/m.test(text)
      if (adds) expect(list, file).toContain(`'./${file}'`)
    }
  })
})
