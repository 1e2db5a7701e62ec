import path from 'node:path'
import { openLadybug } from '../../graph/ladybug/engine.ts'
import { serveGraph } from '../../graph/ladybug/server.ts'
import { graphSocketPath } from '../../graph/open.ts'
import { runChild, STOP_DEADLINE_MS } from '../../link/child.ts'
import { readConfig } from '../config.ts'
import { lockFolder } from '../folder-lock.ts'

const say = (line: string): void => void process.stderr.write(`graph: ${line}\n`)

await runChild(async () => {
  const { dataDir } = readConfig(process.env, process.cwd())
  const folder = path.join(dataDir, 'graph')
  const lock = await lockFolder(folder, { waitMs: STOP_DEADLINE_MS }) // one whose supervisor was killed takes a moment to close
  const store = await openLadybug(folder, say)
  const server = await serveGraph(store, graphSocketPath(dataDir))
  return {
    async [Symbol.asyncDispose]() {
      for (const part of [server, store, lock]) await part[Symbol.asyncDispose]()
    },
  }
}, say)
