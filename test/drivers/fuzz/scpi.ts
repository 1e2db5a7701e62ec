import { readBlock } from '../../../drivers/scpi/block.ts'
import type { FuzzedDriver } from './table.ts'

const block = (count: number): string => `#2${String(4 * count).padStart(2, '0')}${'\u003f\u0080\u0000\u0000'.repeat(count)}`

export const scpi: readonly FuzzedDriver[] = [
  {
    driverIds: [],
    parsers: [{ name: 'blocks', parse: (text) => readBlock(text, { item: 'float32', little: false }), captures: [block(1), block(3)], tellsTruncation: true }],
  },
]
