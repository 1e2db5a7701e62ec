import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withDescribed } from '../../local/simulate/described.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-described-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const PRESS = 'protocol: modbus\nid: acme-press\nvendor: Acme\nmodel: Press\nregisters: [{ at: 0, name: force, description: Force }]\n'

test("a register profile's file stands for its device", async () => {
  const file = path.join(folder, 'press.yaml')
  await writeFile(file, PRESS)
  const { args, simulations } = await withDescribed([file, '--seed', '3'], [])
  expect(args).toEqual(['acme-press', '--seed', '3'])
  const [simulation] = simulations
  await using running = await (simulation ?? expect.fail('no simulation')).start({ folder, name: 'press', seed: 3 })
  expect(running.entry.kind).toBe('tcp')
})

test('a file that is wrong, missing, or cannot be simulated is told', async () => {
  const file = path.join(folder, 'press.yaml')
  await writeFile(file, PRESS.replace('at: 0', 'at: x'))
  await expect(withDescribed([file], [])).rejects.toThrow(`${file}:5:19: registers[1].at: give a whole number from 0 to 65535`)
  await writeFile(file, 'protocol: morse\n')
  await expect(withDescribed([file], [])).rejects.toThrow('protocol: "morse" is not allowed; choose one of modbus')
  await expect(withDescribed([path.join(folder, 'none.yaml')], [])).rejects.toThrow('ENOENT')
})
