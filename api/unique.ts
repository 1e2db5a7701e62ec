/** Prisma's code for a unique constraint that refused a row. */
const UNIQUE_VIOLATION = 'P2002'

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION
}
