import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'

/**
 * Authoring only: Prisma's schema engine as WebAssembly, so that no engine binary is ever downloaded. It compares the migrations, replayed in a scratch
 * database, with the schema files.
 */

const HERE = path.dirname(fileURLToPath(import.meta.url))
const NO_FILTER = { externalTables: [], externalEnums: [] }

// Introspection reads columns of PostgreSQL's internal type "char", which the adapter does not know (it stops with "could not be deserialized").
const CHAR_OID = 18
const BPCHAR_OID = 1042

/** SQL that leads from the migrations (or from nothing) to the schema; empty when they agree. `scratchUrl` names an empty database it may fill. */
export async function schemaDiff({ from, scratchUrl }) {
  const engine = await openEngine(scratchUrl)
  try {
    const { stdout } = await engine.diff({
      from: from === 'empty' ? { tag: 'empty' } : { tag: 'migrations', ...migrations() },
      to: { tag: 'schemaDatamodel', files: schemaFiles() },
      script: true,
      exitCode: null,
      filters: NO_FILTER,
    })
    return withoutVectorIndexes(stdout ?? '')
  } finally {
    engine.free()
  }
}

/** The engine does not know vector indexes and would drop each one (by convention named …_hnsw) that a migration made by hand. */
export function withoutVectorIndexes(sql) {
  const statements = sql.split(/(?<=;)\n+/).filter((statement) => !/DROP INDEX "[^"]*_hnsw";/.test(statement))
  const kept = statements.join('\n\n').trim()
  return kept === '' || kept === '-- This is an empty migration.' ? '' : `${kept}\n`
}

async function openEngine(scratchUrl) {
  const wasm = readFileSync(
    path.join(path.dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')), 'schema_engine_bg.wasm'),
  )
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  const datamodels = schemaFiles().map(({ path: file, content }) => [file, content])
  return bindings.SchemaEngine.new({ datamodels }, () => undefined, bindMigrationAwareSqlAdapterFactory(scratchFactory(scratchUrl)))
}

function scratchFactory(scratchUrl) {
  const connect = async () => migrationAware(await new PrismaPg(patchedPool(scratchUrl), { disposeExternalPool: true }).connect())
  return { provider: 'postgres', adapterName: '@prisma/adapter-pg', connect, connectToShadowDb: connect }
}

const charColumns = new WeakMap()

function patchedPool(connectionString) {
  const pool = new pg.Pool({ connectionString })
  const query = pool.query.bind(pool)
  pool.query = async (...args) => {
    const result = await query(...args)
    for (const [index, field] of (result.fields ?? []).entries()) {
      if (field.dataTypeID !== CHAR_OID) continue
      field.dataTypeID = BPCHAR_OID
      charColumns.set(pool, (charColumns.get(pool) ?? new Set()).add(index))
    }
    return result
  }
  return pool
}

function migrationAware(adapter) {
  const queryRaw = adapter.queryRaw.bind(adapter)
  const pool = adapter.underlyingDriver()
  // the adapter's own cuts at every semicolon, also inside a function's body
  adapter.executeScript = async (script) => {
    await pool.query(script)
  }
  adapter.queryRaw = async (query) => {
    charColumns.delete(pool)
    const result = await queryRaw(query)
    for (const index of charColumns.get(pool) ?? []) result.columnTypes[index] = ColumnTypeEnum.Character
    return result
  }
  return adapter
}

function schemaFiles() {
  const folder = path.join(HERE, 'schema')
  return readdirSync(folder)
    .sort()
    .map((name) => ({ path: path.join(folder, name), content: readFileSync(path.join(folder, name), 'utf8') }))
}

function migrations() {
  const baseDir = path.join(HERE, 'migrations')
  const names = readdirSync(baseDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  const migrationDirectories = names.map((name) => ({
    path: name,
    migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: readFileSync(path.join(baseDir, name, 'migration.sql'), 'utf8') } },
  }))
  return { baseDir, lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' }, shadowDbInitScript: '', migrationDirectories }
}
