/** One value of one column of one row. null: there is no value; never a made-up one. int64, uint64 and timestamp[ns] are bigint. */
export type RowCell = number | bigint | string | boolean | null
