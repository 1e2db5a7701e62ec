import { MAX_BITS_READ, type Table } from './pdu.ts'
import type { Register } from './profile.ts'

/** One request's worth of a table, and what is in it. */
export type Block = { readonly table: Table; readonly at: number; readonly count: number; readonly holes: boolean; readonly registers: readonly Register[] }

export type BlockLimits = {
  /** Words in one request. */
  readonly longest: number
  /** Words that nobody asked for may lie between two that are read together. */
  readonly readThrough: number
}

const BITS_IN_A_WORD = 16

/** As few requests as will do for these registers. */
export function blocksOf(registers: readonly Register[], limits: BlockLimits): readonly Block[] {
  const blocks: { table: Table; at: number; count: number; holes: boolean; registers: Register[] }[] = []
  for (const register of [...registers].sort((a, b) => a.table.localeCompare(b.table) || a.at - b.at)) {
    const bits = register.table === 'coil' || register.table === 'discrete'
    const longest = bits ? MAX_BITS_READ : limits.longest
    const readThrough = bits ? limits.readThrough * BITS_IN_A_WORD : limits.readThrough
    const last = blocks.at(-1)
    const end = register.at + register.words
    const hole = last === undefined ? 0 : register.at - (last.at + last.count)
    if (last !== undefined && last.table === register.table && hole <= readThrough && end - last.at <= longest) {
      last.count = Math.max(last.count, end - last.at)
      last.holes ||= hole > 0
      last.registers.push(register)
    } else blocks.push({ table: register.table, at: register.at, count: register.words, holes: false, registers: [register] })
  }
  return blocks
}
