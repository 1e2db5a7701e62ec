const DEFAULT_SEED = 20_261_120 // always the same, so that a failure is there again; FUZZ_SEED for another one
const RUNS = 300

/** FUZZ_RUNS to run longer (`FUZZ_RUNS=100000 npx vitest run --project local test/drivers/fuzz`), FUZZ_SEED and FUZZ_PATH as a failure prints them. */
export function fuzzOptions(runs: number = RUNS): { readonly seed: number; readonly numRuns: number; readonly path?: string } {
  const { FUZZ_RUNS, FUZZ_SEED, FUZZ_PATH } = process.env
  return {
    seed: FUZZ_SEED === undefined ? DEFAULT_SEED : Number(FUZZ_SEED),
    numRuns: FUZZ_RUNS === undefined ? runs : Math.max(1, Math.round((Number(FUZZ_RUNS) / RUNS) * runs)),
    ...(FUZZ_PATH !== undefined && { path: FUZZ_PATH }),
  }
}
