import { type LiveSource, liveSource, Wake } from './source.ts'

export type RowSourceOptions<Row, Item> = {
  readonly read: () => Promise<Row>
  readonly watch: (wake: () => void) => () => void
  readonly ended: (row: Row) => boolean
  readonly itemOf: (row: Row) => Item
  /** What the subscriber knows already: nothing is sent before the row differs. */
  readonly known?: (row: Row) => boolean
}

/** A row as it is, then each time it has changed, until it will not change any more. Changes that come faster than they are read are one. */
export function rowSource<Row extends object, Item>({ read, watch, ended, itemOf, known }: RowSourceOptions<Row, Item>): LiveSource<Item> {
  let present: Item | undefined
  return liveSource({
    delivery: 'LATEST',
    joinable: known === undefined,
    present: () => present,
    async *run(signal) {
      const changed = new Wake()
      const unwatch = watch(changed.wake)
      try {
        let before: string | undefined
        while (!signal.aborted) {
          const row = await read()
          const text = JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
          if (text !== before && !(before === undefined && known?.(row) === true)) {
            present = itemOf(row)
            yield present
          }
          before = text
          if (ended(row)) return
          await changed.wait(signal)
        }
      } finally {
        unwatch()
      }
    },
  })
}
