import { builder } from '../builder.ts'

/** What a stream could not deliver: from the last that was, to where it goes on or would have. */
export type Gap = { readonly from?: string | undefined; readonly to: string; readonly reason: string }

export const GapRef = builder.objectRef<Gap>('Gap').implement({
  fields: (t) => ({
    from: t.field({ type: 'Cursor', nullable: true, resolve: ({ from }) => from ?? null }),
    to: t.field({ type: 'Cursor', resolve: ({ to }) => to }),
    reason: t.exposeString('reason'),
  }),
})
