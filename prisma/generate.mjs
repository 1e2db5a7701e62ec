import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

// Generates the typed client and the Pothos types, offline.
const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.dirname(here)
const cli = createRequire(import.meta.url).resolve('prisma/build/index.js')
const { status } = spawnSync(process.execPath, [cli, 'generate', '--schema', path.join(here, 'schema')], {
  cwd: here,
  stdio: process.argv.includes('--quiet') ? ['ignore', 'ignore', 'inherit'] : 'inherit',
  env: {
    ...process.env,
    // Generating needs no engine, but the CLI looks for one and would download it; any executable ends the search.
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
    // The CLI finds the generators in PATH; npm puts them there, a plain `node` does not.
    PATH: `${path.join(root, 'node_modules', '.bin')}${path.delimiter}${process.env.PATH ?? ''}`,
  },
})
process.exit(status ?? 1)
