// Writes the SQL that leads from the migrations to the schema files, offline.
//   node prisma/diff.mjs                 shows it; exit status 2 when there is any
//   node prisma/diff.mjs add-presets     makes migrations/<time>_add-presets/migration.sql of it, to be read and completed by hand
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
// an authoring tool: the build's own embedded database is its scratch paper
import { openEngine } from '../dist/local/database/engine.js'
import { serveWire } from '../dist/local/database/wire-server.js'
import { schemaDiff } from './schema-engine.mjs'

const [name] = process.argv.slice(2)
const folder = mkdtempSync(path.join(tmpdir(), 'kymograph-diff-'))
const engine = await openEngine({})
const server = await serveWire(engine, {
  listen: { path: path.join(folder, '.s.PGSQL.5432') },
  onFailure: (error) => process.stderr.write(`${error.message}\n`),
})
const sql = await schemaDiff({ from: 'migrations', scratchUrl: `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder)}` })
await server[Symbol.asyncDispose]()
await engine[Symbol.asyncDispose]()
rmSync(folder, { recursive: true })

if (sql === '') process.stdout.write('the migrations make exactly what the schema files say\n')
else if (name === undefined) {
  process.stdout.write(sql)
  process.exitCode = 2
} else {
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  const file = path.join(import.meta.dirname, 'migrations', `${time}_${name}`, 'migration.sql')
  mkdirSync(path.dirname(file))
  writeFileSync(file, sql)
  process.stdout.write(`${path.relative(process.cwd(), file)}\n`)
}
