import { Problem, type ProblemCode } from '../core/errors.ts'

/** A Problem that came over a wire is rebuilt by its code, not by its class. */
export function isProblem(error: unknown, ...codes: readonly ProblemCode[]): error is Problem {
  return error instanceof Problem && codes.includes(error.code)
}
