import { builder } from '../builder.ts'
import { localId } from '../global-id.ts'
import { readableRows } from '../rows.ts'
import { type RowBatch, runRowsSource } from '../subscriptions/run-rows.ts'
import { ColumnRef } from './dataset.ts'
import { GapRef } from './gap.ts'

const RowBatchRef = builder.objectRef<RowBatch>('RowBatch').implement({
  fields: (t) => ({
    cursor: t.field({ type: 'Cursor', resolve: ({ cursor }) => cursor }),
    gap: t.field({ type: GapRef, nullable: true, resolve: ({ gap }) => gap ?? null }),
    columns: t.field({ type: [ColumnRef], resolve: ({ columns }) => columns }),
    rows: t.field({ type: t.listRef(t.listRef('Value', { nullable: true })), resolve: ({ columns, rows }) => readableRows(columns, rows) }),
  }),
})

builder.subscriptionField('runRows', (t) =>
  t.field({
    type: RowBatchRef,
    description: 'The rows of a run from its first, or after a cursor, as they are recorded; ends when the run has ended.',
    args: { id: t.arg.id({ required: true }), after: t.arg({ type: 'Cursor' }) },
    subscribe: (_root, { id, after }, context) => runRowsSource(localId('Run', id), after ?? undefined, context),
    resolve: (batch) => batch,
  }),
)
