import { setTimeout as pause } from 'node:timers/promises'
import { runChild } from '../../link/child.ts'
import { readLabConfig } from './config.ts'
import { startLab } from './lab.ts'

/** When the supervisor is gone everybody stops at once; real instruments would stay on while a station stops their motion. */
const OUTLIVE_STATION_MS = 2_000

await runChild(
  async () => {
    const lab = await startLab(readLabConfig(process.env))
    return {
      async [Symbol.asyncDispose]() {
        if (!process.connected) await pause(OUTLIVE_STATION_MS)
        await lab[Symbol.asyncDispose]()
      },
    }
  },
  (line) => process.stderr.write(`lab: ${line}\n`),
)
