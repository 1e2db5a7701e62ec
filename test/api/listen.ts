import type { TestLab } from './lab.ts'

export type Received<Item> = { readonly items: Item[]; readonly errors: unknown[]; readonly ended: () => boolean; readonly stop: () => void }

/** Subscribes on a socket of its own and keeps what comes. */
export function listenTo<Item>(
  lab: TestLab,
  query: string,
  variables: Record<string, unknown> = {},
  field = query.match(/\{\s*(\w+)/)?.[1] ?? '',
): Received<Item> {
  const items: Item[] = []
  const errors: unknown[] = []
  let over = false
  const stop = lab.socket().subscribe<Record<string, Item>>(
    { query, variables },
    {
      next: ({ data, errors: failed }) => {
        if (failed !== undefined) errors.push(...failed)
        const item = data?.[field]
        if (item != null) items.push(item)
      },
      error: (error) => {
        errors.push(error)
        over = true
      },
      complete: () => {
        over = true
      },
    },
  )
  return { items, errors, ended: () => over, stop }
}
