import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readBlock } from '../../../drivers/scpi/block.ts'
import type { ParameterDescription } from '../../../drivers/scpi/description.ts'
import { readDescription } from '../../../drivers/scpi/read-description.ts'
import { parseReply, replyShape } from '../../../drivers/scpi/values.ts'
import type { FuzzedDriver, FuzzedParser } from './table.ts'

const FOLDER = join(import.meta.dirname, '../../../drivers/scpi/instruments')
const block = (count: number): string => `#2${String(4 * count).padStart(2, '0')}${'\u003f\u0080\u0000\u0000'.repeat(count)}`
/** As instruments write numbers, NR1 to NR3 of IEEE 488.2. */
const NUMBERS = { FLOAT: ['+1.05000000E+01', '-0.25', '3'], INTEGER: ['7', '+12'] } as const

function isPlainNumber(parameter: ParameterDescription): parameter is ParameterDescription & { readonly kind: 'FLOAT' | 'INTEGER' } {
  const { kind, reply } = parameter
  return (kind === 'FLOAT' || kind === 'INTEGER') && reply.pattern === undefined && reply.element === undefined && reply.block === undefined
}

/** One float and one integer of each description that comes with the program, as a conversation takes their answers. */
const described: readonly FuzzedDriver[] = readdirSync(FOLDER).map((file) => {
  const { id, parameters } = readDescription(readFileSync(join(FOLDER, file), 'utf8'), file)
  const numbers = parameters.filter(isPlainNumber)
  const parsers = (['FLOAT', 'INTEGER'] as const).flatMap((wanted): readonly FuzzedParser[] => {
    const parameter = numbers.find(({ kind }) => kind === wanted)
    if (parameter === undefined) return []
    const shape = replyShape(parameter)
    return [
      {
        name: `${parameter.name} (${wanted})`,
        parse: (text) => (shape.test(text) ? parseReply(parameter, text) : undefined),
        captures: NUMBERS[wanted],
        tellsTruncation: false,
      },
    ]
  })
  return { driverIds: [id], parsers }
})

export const scpi: readonly FuzzedDriver[] = [
  {
    driverIds: [],
    parsers: [{ name: 'blocks', parse: (text) => readBlock(text, { item: 'float32', little: false }), captures: [block(1), block(3)], tellsTruncation: true }],
  },
  ...described,
]
