import type { TestLab } from './lab.ts'

/** Readers of recordings that go on until they are let go. */
export function heldReaders({ api }: TestLab, count: number) {
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const gone = Promise.all(Array.from({ length: count }, () => api.services.readTurns.once(undefined, () => held)))
  return { release, gone }
}
