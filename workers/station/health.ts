import { statfs } from 'node:fs/promises'
import type { StationHealth } from '../../link/protocol.ts'

export type HealthSource = {
  readonly dataDir: string
  readonly journalBacklog: () => number
  readonly components: () => StationHealth['components']
}

/** Processor use is counted from one question to the next. */
export function healthOf(source: HealthSource): () => Promise<StationHealth> {
  let [lastCpu, lastMs] = [process.cpuUsage(), performance.now()]
  return async () => {
    const [cpu, nowMs] = [process.cpuUsage(), performance.now()]
    const usedMs = (cpu.user + cpu.system - lastCpu.user - lastCpu.system) / 1000
    const cpuPercent = nowMs > lastMs ? (100 * usedMs) / (nowMs - lastMs) : 0
    ;[lastCpu, lastMs] = [cpu, nowMs]
    const { bavail, bsize } = await statfs(source.dataDir)
    return {
      cpuPercent,
      memoryBytes: process.memoryUsage.rss(),
      diskFreeBytes: bavail * bsize,
      journalBacklog: source.journalBacklog(),
      components: source.components(),
    }
  }
}
