import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Vite would load graphql's ES modules and Pothos the CommonJS ones: two GraphQL realms in one process.
  resolve: { alias: { graphql: 'graphql/index.js' } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2, // whole labs run in some of them: processes, a database, real time
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { include: ['{core,link,storage,native,prisma,drivers,workers,local,api}/**/*.ts'], exclude: ['prisma/generated/**'] },
  },
})
