import { PROJECTION_VERSION, type Scales } from '../../core/state-vector.ts'
import { readScales, type Sql } from '../../prisma/states.ts'

export type Projection = { readonly generation: number; readonly scales: Scales }

/** How parameters are measured now; kept between requests. */
export interface Projections {
  /** undefined: none is complete. */
  current(sql: Sql): Promise<Projection | undefined>
}

export function createProjections(): Projections {
  let known: Projection | undefined
  return {
    /** Within a generation scales are only ever added, so their number says whether what is known is whole. */
    async current(sql) {
      const { rows } = await sql.query<{ generation: number; count: number }>(
        `SELECT p."generation", (SELECT count(*)::int FROM "state_scale" s WHERE s."generation" = p."generation") AS "count"
         FROM "state_projection" p WHERE p."complete" AND p."version" = $1 ORDER BY p."generation" DESC LIMIT 1`,
        [PROJECTION_VERSION],
      )
      const [row] = rows
      if (row === undefined) return undefined
      if (known?.generation !== row.generation || known.scales.size !== row.count)
        known = { generation: row.generation, scales: await readScales(sql, row.generation) }
      return known
    },
  }
}
