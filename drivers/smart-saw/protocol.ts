import type { ParameterValue } from '../../core/reading.ts'
import { ALARMS, type Register, STATES } from './profile.ts'

/** Registers as the PLC holds them, to values and back. Pure. */

export const MAX_REGISTERS_READ = 125 // Modbus application protocol 1.1b3, 6.3

/** How many words a quantity takes. */
export function widthOf(register: Pick<Register, 'coding'>): number {
  return register.coding === 'f32' ? 2 : 1
}

/** undefined when the words mean nothing: a state that the profile does not know, an energy that is not a number. */
export function decode(register: Register, words: readonly number[]): ParameterValue | undefined {
  const [word, next] = words
  if (word === undefined || !isWord(word)) return undefined
  const perUnit = register.perUnit ?? 1
  switch (register.coding) {
    case 'u16':
      return word / perUnit
    case 'i16':
      return signed(word) / perUnit
    case 'magnitude':
      return Math.abs(signed(word)) / perUnit
    case 'code':
      return String(word)
    case 'state':
      return STATES[word]
    case 'alarms':
      return alarmsOf(word)
    case 'f32': {
      if (next === undefined || !isWord(next)) return undefined
      const value = float(word, next)
      return Number.isFinite(value) ? value : undefined
    }
  }
}

/** The word for a value within the register's limits; rounded, not cut off: 58.7 is 59. */
export function encode(register: Register, value: number): number {
  return Math.round(value * (register.perUnit ?? 1)) & 0xffff
}

function signed(word: number): number {
  return word >= 0x8000 ? word - 0x1_0000 : word
}

/** Seven digits, all that single precision has. */
function float(low: number, high: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint16(0, high)
  view.setUint16(2, low)
  return Number(view.getFloat32(0).toPrecision(7))
}

export function floatWords(value: number): readonly [low: number, high: number] {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  return [view.getUint16(2), view.getUint16(0)]
}

function alarmsOf(word: number): string {
  if (word === 0) return 'none'
  const names: string[] = []
  for (let bit = 0; bit < 16; bit += 1) if ((word & (1 << bit)) !== 0) names.push(ALARMS[bit] ?? `bit ${bit}`)
  return names.join(', ')
}

function isWord(word: number): boolean {
  return Number.isInteger(word) && word >= 0 && word <= 0xffff
}

export type Block = { readonly at: number; readonly count: number; readonly registers: readonly Register[] }

const WORTH_READING_THROUGH = 16 // words nobody asked for cost less than another round trip

/** As few requests as will do for these registers. */
export function blocksOf(registers: readonly Register[]): readonly Block[] {
  const blocks: { at: number; count: number; registers: Register[] }[] = []
  for (const register of [...registers].sort((a, b) => a.at - b.at)) {
    const last = blocks.at(-1)
    const end = register.at + widthOf(register)
    if (last !== undefined && register.at <= last.at + last.count + WORTH_READING_THROUGH && end - last.at <= MAX_REGISTERS_READ) {
      last.count = Math.max(last.count, end - last.at)
      last.registers.push(register)
    } else blocks.push({ at: register.at, count: end - register.at, registers: [register] })
  }
  return blocks
}
