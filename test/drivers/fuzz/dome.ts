import type { FuzzedDriver } from './table.ts'

export const dome: readonly FuzzedDriver[] = []
