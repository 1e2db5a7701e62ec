/** Servers that somebody runs: .ci/servers does. */
export type Services = { readonly databaseUrl: string; readonly redisUrl: string }

/** What this test stands on: undefined is the embedded database with the queues in it. vitest.config.ts runs the same suites both ways. */
export function services(): Services | undefined {
  return process.env.TEST_PROFILE === 'services' ? { databaseUrl: server('TEST_DATABASE_URL'), redisUrl: server('TEST_REDIS_URL') } : undefined
}

function server(name: string): string {
  const url = process.env[name]
  if (url === undefined) throw new Error(`${name} is not set: run the services profile with .ci/servers`)
  return url
}
