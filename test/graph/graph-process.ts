import { openLadybug } from '../../graph/ladybug/engine.ts'
import { serveGraph } from '../../graph/ladybug/server.ts'

/** The embedded graph until a test kills it. */
const [folder = '', socketPath = ''] = process.argv.slice(2)
const say = (line: string): void => void process.stdout.write(`${line}\n`)
await serveGraph(await openLadybug(folder, say), socketPath)
say('serves')
