/** How benchmarks speak: one line per figure, numbers with units, and the ratio that matters last. */

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** The p-th percentile (0 … 1) by the nearest rank. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}
