import { builder } from '../builder.ts'
import type { Series } from '../history/series.ts'
import { QualityEnum, ReductionEnum } from './enums.ts'

/** What one value of a column costs, against MAX_POINTS of them: they are scalars in a row, not fields of objects. */
export const SeriesRef = builder.objectRef<Series>('Series').implement({
  fields: (t) => ({
    unit: t.string({ nullable: true, resolve: ({ unit }) => unit ?? null }),
    times: t.field({ type: ['Time'], resolve: ({ times }) => times }),
    values: t.floatList({
      nullable: { list: true, items: true },
      description: 'Of a number; the mean of the bin where min and max are given.',
      resolve: ({ values }) => values ?? null,
    }),
    texts: t.stringList({ nullable: { list: true, items: true }, resolve: ({ texts }) => texts ?? null }),
    qualities: t.field({ type: [QualityEnum], nullable: true, resolve: ({ qualities }) => qualities ?? null }),
    minimum: t.floatList({ nullable: { list: true, items: true }, resolve: ({ minimum }) => minimum ?? null }),
    maximum: t.floatList({ nullable: { list: true, items: true }, resolve: ({ maximum }) => maximum ?? null }),
    reducedFrom: t.field({ type: 'SafeInt', description: 'How many samples there are in the range.', resolve: ({ reducedFrom }) => reducedFrom }),
    reduction: t.field({ type: ReductionEnum, resolve: ({ reduction }) => reduction }),
    cursor: t.field({ type: 'Cursor', description: 'Where the subscription readings goes on.', resolve: ({ cursor }) => cursor }),
  }),
})
