import { defineConfig } from 'vitest/config'

/** What runs on the embedded servers in the local profile, and with .ci/servers a second time on real ones. */
const ON_BOTH_PROFILES = [
  'api',
  'api/http',
  'api/states',
  'graph',
  'lab',
  'link',
  'prisma',
  'survival',
  'workers/compute',
  'workers/jobs',
  'workers/station/journal',
  'workers/station/runs',
  'workers/station',
]
/** Of those folders, what is about pixels and samples: no server has a part in it, and they take long. */
const ON_ONE_PROFILE = [
  'api/frame-tickets',
  'api/frames',
  'api/frames-over-http',
  'api/frames-socket',
  'api/reading-frames',
  'lab/data-acquisition',
  'lab/frame-statistics',
  'lab/live-view',
  'workers/station/runs/board',
]
const hasServers = process.env.TEST_DATABASE_URL !== undefined && process.env.TEST_REDIS_URL !== undefined

export default defineConfig({
  // Vite would load graphql's ES modules and Pothos the CommonJS ones: two GraphQL realms in one process.
  resolve: { alias: { graphql: 'graphql/index.js' } },
  test: {
    pool: 'forks',
    maxWorkers: 3, // more than a small machine has cores: whole labs run in some of them, and mostly wait for real time
    maxConcurrency: 64, // of the tests of one file that say they may run beside each other: they wait for answers that never come
    testTimeout: 120_000, // a process of a lab takes seconds to start on a busy machine; what hangs is ended all the same
    retry: process.env.CI === undefined ? 0 : 1, // whole labs on a shared machine: what fails twice fails, and the report names what was tried twice
    hookTimeout: 300_000, // more than what a hook waits for: a lab that starts and connects, packages from PyPI, a turn at a server
    globalSetup: 'test/python-folder.ts',
    coverage: { include: ['{core,link,storage,native,prisma,graph,drivers,workers,local,api}/**/*.ts'], exclude: ['prisma/generated/**'] },
    projects: [
      { extends: true, test: { name: 'local', include: ['test/**/*.test.ts'], exclude: ['test/services/**'] } },
      {
        extends: true,
        test: {
          name: 'services',
          include: ['test/services/**/*.test.ts', ...(hasServers ? ON_BOTH_PROFILES.map((folder) => `test/${folder}/*.test.ts`) : [])],
          exclude: ON_ONE_PROFILE.map((file) => `test/${file}.test.ts`),
          ...(hasServers && { env: { TEST_PROFILE: 'services' } }),
        },
      },
    ],
  },
})
