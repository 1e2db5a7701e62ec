import { type WallNs, wallNsFromMs } from '../core/time.ts'

export function nowNs(): WallNs {
  return wallNsFromMs(Date.now())
}
