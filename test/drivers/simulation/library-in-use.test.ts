import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SimulatedLibrary } from '../../../drivers/simulation/simulated-library.ts'

test('a lab that starts again after its death leaves the library alone that a station still runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kymograph-library-'))
  try {
    const path = join(folder, 'built.so')
    writeFileSync(path, 'old')
    const start = () => new SimulatedLibrary({ path, devices: [], errors: [] }, { folder, name: 'board' })
    const dead = start()
    const mapped = openSync(join(folder, 'board.so'), 'r')
    writeFileSync(path, 'newer')
    await using alive = start()
    expect(alive.entry).toEqual(dead.entry)
    expect(fstatSync(mapped).size).toBe('old'.length)
    expect(readFileSync(mapped, 'utf8')).toBe('old')
    closeSync(mapped)
    expect(readFileSync(join(folder, 'board.so'), 'utf8')).toBe('newer')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
