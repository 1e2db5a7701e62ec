import { userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { messageOf } from '../core/errors.ts'
import { type GraphPlace, graphPlace } from '../graph/open.ts'
import { CannotStart } from '../link/child.ts'

export type ApiConfig = {
  readonly dataDir: string
  readonly databaseUrl: string
  readonly databaseEmbedded: boolean
  readonly redisUrl: string | undefined
  readonly graph: GraphPlace
  readonly port: number
  readonly host: string
  /** Origins of pages, beside our own, whose requests are served. */
  readonly allowedOrigins: readonly string[]
  /** Name of the local user: the actor of every request without an API key. */
  readonly userName: string
  readonly logLevel: string
  readonly commit: string | undefined
}

/** The only place of the api that looks at the environment. Throws CannotStart with what is wrong and what is allowed. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ApiConfig {
  const text = (name: string): string | undefined => (env[name] === '' ? undefined : env[name])
  const needed = (name: string): string => text(name) ?? fail(`${name} is not set; npm start sets it`)
  const dataDir = needed('DATA_DIR')
  if (!isAbsolute(dataDir)) fail(`DATA_DIR=${dataDir} must be an absolute path`)
  const port = Number(text('PORT') ?? 4000)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) fail(`PORT=${env['PORT']} is not a port; give a number from 0 to 65535 (0: any free one)`)
  const allowedOrigins = (text('ALLOWED_ORIGINS') ?? '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
  for (const origin of allowedOrigins)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) fail(`ALLOWED_ORIGINS: ${origin} is not an origin such as https://lab.example.org`)
  return {
    dataDir,
    databaseUrl: needed('DATABASE_URL'),
    databaseEmbedded: text('DATABASE_EMBEDDED') === '1',
    redisUrl: text('REDIS_URL'),
    graph: graph(dataDir, text),
    port,
    host: text('HOST') ?? '127.0.0.1',
    allowedOrigins,
    userName: text('KYMOGRAPH_USER') ?? userInfo().username,
    logLevel: text('LOG_LEVEL') ?? 'info',
    commit: text('KYMOGRAPH_COMMIT'),
  }
}

function graph(dataDir: string, text: (name: string) => string | undefined): GraphPlace {
  try {
    return graphPlace(dataDir, { url: text('NEO4J_URL'), user: text('NEO4J_USER'), password: text('NEO4J_PASSWORD') })
  } catch (error) {
    return fail(messageOf(error))
  }
}

function fail(sentence: string): never {
  throw new CannotStart(sentence)
}

/** Made by whichever process of this machine comes first; what knows it may speak to the stations. */
export function linkTokenFile(dataDir: string): string {
  return join(dataDir, 'run', 'link-token')
}
