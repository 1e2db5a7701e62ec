import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../drivers/modbus/coding.ts'
import type { Register } from '../../drivers/modbus/profile.ts'
import { readProfile } from '../../drivers/modbus/read-profile.ts'
import { sawProfile } from '../../drivers/smart-saw/driver.ts'
import { PROJECT } from '../architecture/sources.ts'

/** Every register of the saw by what its documents say: where it is, and what a word in it means. */

type Row = readonly [at: number, name: string, words: readonly number[], value: unknown, unit?: string]

const MINUS = 0x1_0000

const ALARM_ORDER = [
  'emergency stop',
  'cutting motor',
  'hydraulic motor',
  'coolant motor',
  'chip conveyor',
  'brush',
  'pulley cover open',
  'band broken',
  'servo overload',
  'servo over-temperature',
  'band motor',
  'measurement calculation',
  'front vice',
  'servo brake resistor',
]

const STATE_ROWS: readonly Row[] = [
  [1000, 'machine_id', [42], 42],
  [1001, 'band_id', [65_000], 65_000],
  [1002, 'tooth_pitch', [3], 3, 'mm'],
  [1003, 'band_type', [1], '1'],
  [1004, 'band_brand', [2], '2'],
  [1005, 'band_material', [3], '3'],
  [1006, 'material_type', [4], '4'],
  [1007, 'material_hardness', [18], '18'],
  [1008, 'material_section', [1], '1'],
  [1009, 'dimension_a', [1205], 120.5, 'mm'],
  [1010, 'dimension_b', [1206], 120.6, 'mm'],
  [1011, 'dimension_c', [1207], 120.7, 'mm'],
  [1012, 'dimension_d', [40_000], 4000, 'mm'],
  [1013, 'head_height', [2153], 215.3, 'mm'],
  [1014, 'pieces_cut', [17], 17],
  [1015, 'band_motor_current', [173], 17.3, 'A'],
  [1016, 'band_motor_torque', [204], 20.4, '%'],
  [1017, 'descent_motor_current', [MINUS - 123], 1.23, 'A'],
  [1018, 'descent_motor_torque', [45], 45, '%'],
  [1019, 'vice_pressure', [603], 60.3, 'bar'],
  [1020, 'band_tension', [1801], 180.1, 'bar'],
  [1021, 'acceleration_x', [MINUS - 5], -5],
  [1022, 'acceleration_y', [MINUS - 6], -6],
  [1023, 'acceleration_z', [7], 7],
  [1024, 'band_deviation', [MINUS - 1], -0.01, 'mm'],
  [1025, 'ambient_temperature', [MINUS - 10], -1, 'Cel'],
  [1026, 'humidity', [441], 44.1, '%'],
  [1027, 'coolant_temperature', [263], 26.3, 'Cel'],
  [1028, 'hydraulic_oil_temperature', [451], 45.1, 'Cel'],
  [1029, 'band_temperature_raw', [413], 413],
  [1030, 'state', [3], 'cutting'],
  [1031, 'alarm_status', [1], 1],
  [1032, 'alarms', [0x2081], 'emergency stop, band broken, servo brake resistor'],
  [1033, 'cutting_speed', [583], 58.3, 'm/min'],
  [1034, 'descent_speed', [MINUS - 900], -900, 'mm/min'],
  [1035, 'vibration_x', [120], 120, 'Hz'],
  [1036, 'vibration_y', [121], 121, 'Hz'],
  [1037, 'vibration_z', [122], 122, 'Hz'],
  [1038, 'difference_frequency_x', [150], 150, 'Hz'],
  [1039, 'difference_frequency_y', [151], 151, 'Hz'],
  [1040, 'difference_frequency_z', [152], 152, 'Hz'],
  [1041, 'material_width', [1203], 120.3, 'mm'],
  [1042, 'energy', [0x5000, 0x449a], 1234.5, 'kW.h'], // 0x449A5000 is 1234.5, its low word first
]

/** Set with the value, on the wire as the words. */
const CONTROL_ROWS: readonly Row[] = [
  [2, 'automatic_mode', [1], 'on'],
  [20, 'rear_vice_open', [1 << 5], true],
  [20, 'front_vice_open', [1 << 6], true],
  [20, 'material_forward', [1 << 7], true],
  [20, 'material_back', [1 << 8], true],
  [20, 'saw_up', [1 << 9], true],
  [20, 'saw_down', [1 << 10], true],
  [40, 'length_confirm', [1 << 10], true],
  [102, 'machine_start', [1 << 0], true],
  [102, 'chip_conveyor', [1 << 3], true],
  [2000, 'coolant', [1 << 1], true],
  [2041, 'descent_speed_target', [2450], 24.5, 'mm/min'],
  [2050, 'target_quantity', [12], 12],
  [2064, 'target_length', [2505], 250.5, 'mm'],
  [2066, 'cutting_speed_target', [58], 58, 'm/min'],
  [2070, 'pieces_per_package', [5], 5],
]

/** What only counts in the controls' block. */
const COUNTED: Row = [2056, 'pieces_cut_automatic', [9], 9]

const OLDER_ROWS: readonly Row[] = [
  [2000, 'head_height', [2153], 215.3, 'mm'],
  [2010, 'band_motor_current', [173], 17.3, 'A'],
  [2011, 'band_motor_torque', [204], 20.4, '%'],
  [2012, 'descent_motor_current', [12], 1.2, 'A'],
  [2013, 'descent_motor_torque', [45], 4.5, '%'],
  [2020, 'band_tension', [1801], 180.1, 'bar'],
  [2021, 'band_deviation', [MINUS - 1], -0.01, 'mm'],
  [2022, 'vice_pressure', [603], 60.3, 'bar'],
  [2030, 'state', [4], 'completed'],
  [2031, 'alarm_status', [1], 1],
  [2032, 'alarms', [0x1080], 'band broken, front vice'],
  [2040, 'ambient_temperature', [MINUS - 10], -1, 'Cel'],
  [2041, 'descent_speed', [MINUS - 2000], -20, 'mm/min'],
  [2042, 'humidity', [441], 44.1, '%'],
  [2050, 'coolant_temperature', [263], 26.3, 'Cel'],
  [2051, 'hydraulic_oil_temperature', [451], 45.1, 'Cel'],
  [2066, 'cutting_speed', [583], 58.3, 'm/min'],
  [2100, 'acceleration_x', [5], 5],
  [2101, 'acceleration_y', [6], 6],
  [2102, 'acceleration_z', [MINUS - 7], -7],
  [2103, 'vibration_x', [120], 120, 'Hz'],
  [2104, 'vibration_y', [121], 121, 'Hz'],
  [2105, 'vibration_z', [122], 122, 'Hz'],
  [2106, 'vibration_maximum', [122], 122, 'Hz'],
  [2200, 'material_type', [4], '4'],
  [2201, 'material_hardness', [18], '18'],
  [2202, 'material_section', [1], '1'],
  [2203, 'dimension_a', [1205], 120.5, 'mm'],
  [2204, 'dimension_b', [1206], 120.6, 'mm'],
  [2205, 'dimension_c', [1207], 120.7, 'mm'],
  [2206, 'dimension_d', [1208], 120.8, 'mm'],
  [2207, 'material_width', [1203], 120.3, 'mm'],
  [2230, 'band_id', [7], 7],
  [2231, 'band_type', [1], '1'],
  [2232, 'band_brand', [2], '2'],
  [2233, 'band_material', [3], '3'],
  [2234, 'tooth_pitch', [3], 3, 'mm'],
  [2250, 'pieces_cut', [17], 17],
  [2251, 'machine_id', [42], 42],
]

const rowOf = (register: Register, words: readonly number[]): Row => {
  const row = [register.at, register.name, words, decode(register, words)] as const
  return register.unit === undefined ? row : [...row, register.unit]
}

function meant(registers: readonly Register[], rows: readonly Row[]): readonly Row[] {
  return registers.map((register) => rowOf(register, rows.find(([, name]) => name === register.name)?.[2] ?? []))
}

describe('the block from 1000 and the controls', () => {
  const { registers, commands, stop, writes } = sawProfile().profile({})

  test('what is read means what the documents say, and cannot be set', () => {
    const read = registers.filter(({ access }) => access === 'READ_ONLY')
    expect(meant(read, [...STATE_ROWS, COUNTED])).toEqual([...STATE_ROWS, COUNTED])
    expect(registers.every(({ table }) => table === 'holding')).toBe(true)
  })

  test('what is set goes out as the documents say, and reads back so', () => {
    const set = registers.filter(({ access }) => access === 'READ_WRITE')
    expect(meant(set, CONTROL_ROWS)).toEqual(CONTROL_ROWS)
    for (const [at, name, words, value] of CONTROL_ROWS) {
      const register = set.find((candidate) => candidate.name === name) ?? expect.fail(name)
      expect([at, name, encode(register, value as number | boolean | string)]).toEqual([at, name, words])
      expect(register.verify).toBe(true)
    }
  })

  test('the buttons, the stop and the pause between two writes are those of the machine', () => {
    expect(commands.map(({ name, target }) => [name, target.at, 'bit' in target ? target.bit : undefined])).toEqual([
      ['cut_start', 20, 3],
      ['cut_cancel', 20, 4],
      ['automatic_start', 20, 13],
      ['reset', 20, 14],
    ])
    expect(stop?.target).toEqual({ table: 'holding', at: 20, value: 1 << 4 })
    expect(writes.spacingMs).toBeGreaterThanOrEqual(110)
  })

  test('each alarm has its bit', () => {
    const alarms = registers.find(({ name }) => name === 'alarms') ?? expect.fail('no alarms')
    expect(Array.from({ length: 14 }, (_, bit) => decode(alarms, [1 << bit]))).toEqual(ALARM_ORDER)
  })
})

describe('what the documents contradict each other about', () => {
  const chosen = (choices: Readonly<Record<string, string>>, name: string): Register =>
    sawProfile()
      .profile(choices)
      .registers.find((register) => register.name === name) ?? expect.fail(name)

  test('the difference frequencies may be hundredths', () => {
    expect(rowOf(chosen({ differenceFrequency: 'hundredths' }, 'difference_frequency_y'), [151])).toEqual([1039, 'difference_frequency_y', [151], 1.51, 'Hz'])
  })

  test('the states may be the older ones, in which it stands in others too', () => {
    expect([0, 1, 2, 3, 4, 5, 6].map((word) => decode(chosen({ states: 'older' }, 'state'), [word]))).toEqual([
      'idle',
      'preparing',
      'ready',
      'cutting',
      'completed',
      'error',
      undefined,
    ])
    expect([0, 1, 2, 3, 4, 5, 6].map((word) => decode(chosen({}, 'state'), [word]))).toEqual([
      'idle',
      'hydraulics active',
      'band motor running',
      'cutting',
      'cut finished',
      'saw rising',
      'material feed',
    ])
    const standing = sawProfile().profile({ states: 'older' }).stop?.standing?.values
    expect(standing).toEqual(expect.arrayContaining(['idle', 'ready', 'completed', 'error']))
    expect(standing).not.toContain('cutting')
    expect(standing).not.toContain('preparing')
    expect(standing).not.toContain('band motor running')
  })
})

test('the older list from 2000 means what the documents say, and nothing of it can be set', () => {
  const file = path.join(PROJECT, 'drivers/modbus/profiles/smart-saw-2000.yaml')
  const { registers, commands, stop } = readProfile(readFileSync(file, 'utf8'), 'smart-saw-2000.yaml').profile({})
  expect(meant(registers, OLDER_ROWS)).toEqual(OLDER_ROWS)
  expect(registers.every(({ access, table }) => access === 'READ_ONLY' && table === 'holding')).toBe(true)
  expect(commands).toEqual([])
  expect(stop).toBeUndefined()
  const alarms = registers.find(({ name }) => name === 'alarms') ?? expect.fail('no alarms')
  expect(Array.from({ length: 14 }, (_, bit) => decode(alarms, [1 << bit]))).toEqual(ALARM_ORDER)
  const state = registers.find(({ name }) => name === 'state') ?? expect.fail('no state')
  expect([0, 1, 2, 3, 4, 5, 6].map((word) => decode(state, [word]))).toEqual(['idle', 'preparing', 'ready', 'cutting', 'completed', 'error', undefined])
})
