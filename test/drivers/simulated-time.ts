/** The time of a simulated instrument, as fast as a test wants it: what must not be over yet is slow, whatever the machine is busy with. */
export type SimulatedTime = {
  /** Of our time, from now on. */
  factor: number
  readonly seconds: () => number
  pass(seconds: number): void
}

export function simulatedTime(): SimulatedTime {
  let lastMs = performance.now()
  let passed = 0
  let factor = 1
  const seconds = (): number => {
    const nowMs = performance.now()
    passed += ((nowMs - lastMs) / 1000) * factor
    lastMs = nowMs
    return passed
  }
  return {
    seconds,
    pass: (more) => {
      passed += more
    },
    get factor() {
      return factor
    },
    set factor(next) {
      seconds()
      factor = next
    },
  }
}
