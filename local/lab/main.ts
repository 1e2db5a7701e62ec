import { runChild } from '../../link/child.ts'
import { readLabConfig } from './config.ts'
import { startLab } from './lab.ts'

await runChild(
  () => startLab(readLabConfig(process.env)),
  (line) => process.stderr.write(`lab: ${line}\n`),
)
