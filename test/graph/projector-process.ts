import { openGraph } from '../../graph/open.ts'
import { startProjection } from '../../workers/graph/projection.ts'
import { DRIVERS } from './registry.ts'

/** The projector until a test kills it. */
const [databaseUrl = '', place = ''] = process.argv.slice(2)
const log = (line: string): void => void process.stdout.write(`${line}\n`)
startProjection({ databaseUrl, store: openGraph(JSON.parse(place)), catalog: { drivers: DRIVERS }, log })
log('projects')
