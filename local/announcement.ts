import path from 'node:path'
import { VERSION } from '../core/version.ts'
import { type LocalConfig, withoutPassword } from './config.ts'

/** What a person sees once everything serves: where to look, and what stands behind each role. */
export function announcement(config: LocalConfig, projectFolder: string): string {
  const shownHost = config.host === '0.0.0.0' || config.host === '::' ? 'localhost' : config.host.includes(':') ? `[${config.host}]` : config.host
  const address = `http://${shownHost}:${config.port}`
  const lines = [
    ['dashboard', `${address}/`],
    ['playground', `${address}/graphql`],
    ['database', config.databaseUrl === undefined ? 'embedded PostgreSQL' : withoutPassword(config.databaseUrl)],
    ['queue', config.redisUrl === undefined ? 'on the database' : withoutPassword(config.redisUrl)],
    ['graph', 'neo4j' in config.graph ? config.graph.neo4j.url : 'embedded LadybugDB'],
    ['lab', config.simulatedLab ? 'simulated instruments' : 'only the devices that you register'],
    ['data', path.relative(projectFolder, config.dataDir).startsWith('..') ? config.dataDir : path.relative(projectFolder, config.dataDir)],
  ] as const
  return `\nKymograph ${VERSION} is running. Ctrl-C stops it.\n${lines.map(([role, what]) => `  ${role.padEnd(12)}${what}\n`).join('')}\n`
}
