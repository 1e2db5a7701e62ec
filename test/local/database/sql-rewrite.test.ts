import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rewriteSql, withoutLiterals } from '../../../local/database/sql-rewrite.ts'

describe('rewriteSql', () => {
  it.each([
    'SELECT 1',
    "SELECT '; unlisten *'",
    "INSERT INTO note VALUES ('it''s; discard all')",
    String.raw`SELECT E'\'; copy a from stdin'`,
    'SELECT $body$; deallocate all $body$',
    'SELECT 1 -- ; discard all',
    'SELECT 1 /* ; discard all */',
    'SELECT "copy" FROM "stdin"',
    'COPY thing TO STDOUT',
    'UPDATE job SET state = 1',
    'SELECT unlisten FROM t',
  ])('leaves as it is: %s', (sql) => {
    expect(rewriteSql(sql).sql).toBe(sql)
  })

  it('finds channels, folded as PostgreSQL folds them', () => {
    expect(rewriteSql('LISTEN News; listen "My ""News"""; NOTIFY other').listen).toEqual(['news', 'My "News"'])
    expect(rewriteSql('UNLISTEN News')).toEqual({ sql: "DO 'BEGIN END'", listen: [], unlisten: ['news'], changesSettings: false })
    expect(rewriteSql("SELECT 1; unlisten *; SELECT ';'")).toMatchObject({ sql: "SELECT 1;DO 'BEGIN END'; SELECT ';'", unlisten: ['*'] })
  })

  it('puts a refusal in the place of what would end the engine', () => {
    expect(rewriteSql("COPY a FROM STDIN (FORMAT csv, NULL ';')").sql).toMatch(
      /^DO \$refuse\$BEGIN RAISE EXCEPTION .*COPY FROM STDIN is not available.*END\$refuse\$$/,
    )
    expect(rewriteSql('SELECT 1; DISCARD ALL; SELECT 2').sql).toMatch(/^SELECT 1;DO .*DISCARD is not available.*; SELECT 2$/)
  })

  it('sees what changes settings', () => {
    for (const sql of ['SET x = 1', 'set local x = 1', 'RESET ALL', "SELECT set_config('x', 'y', false)"]) expect(rewriteSql(sql).changesSettings).toBe(true)
    for (const sql of ['UPDATE a SET b = 1', "SELECT 'set x = 1'"]) expect(rewriteSql(sql).changesSettings).toBe(false)
  })

  it('blanks literals without moving anything, for any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("'", '"', '$$', '--', '/*', '*/', '\n', ';', 'E', 'a', '\\', ' listen x')).map((parts) => parts.join('')),
        (sql) => {
          expect(withoutLiterals(sql)).toHaveLength(sql.length)
          rewriteSql(sql)
        },
      ),
    )
  })
})
