import path from 'node:path'
import { runChild } from '../../link/child.ts'
import { readConfig } from '../config.ts'
import type { ChildSpec } from '../supervised-child.ts'
import { Supervisor } from '../supervisor.ts'

/**
 * One host's station and, when the lab is simulated, its instruments: pseudo-terminals do not reach from one container into another. The instruments go on
 * when the station dies, like real ones. Servers, api and compute workers run elsewhere.
 */

const BUILT = path.join(import.meta.dirname, '../..')

const say = (line: string): void => void process.stderr.write(`host: ${line}\n`)

await runChild(async () => {
  const config = readConfig(process.env, process.cwd())
  const env = { ...process.env, DATA_DIR: config.dataDir, LAB_DIR: config.labDir }
  const child = (name: string, ...entry: readonly string[]): ChildSpec => ({ name, entry: path.join(BUILT, ...entry), env })
  const supervisor = new Supervisor(config.dataDir, say)
  try {
    if (config.simulatedLab) await supervisor.start(child('lab', 'local', 'lab', 'main.js'))
    await supervisor.start(child('station', 'workers', 'station', 'main.js'))
    return supervisor
  } catch (error) {
    await supervisor[Symbol.asyncDispose]()
    throw error
  }
}, say)
