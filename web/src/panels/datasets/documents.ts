import { graphql, type ResultOf } from '../../graphql.ts'

export const DATASETS = graphql(`
  query Datasets($first: Int, $after: Cursor) {
    datasets(first: $first, after: $after) {
      edges { node { id name kind state createdAt rows bytes dropped run { id number } session { title } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`)

export type DatasetLine = ResultOf<typeof DATASETS>['datasets']['edges'][number]['node']

export const DATASET = graphql(`
  query Dataset($id: ID!) {
    dataset(id: $id) {
      id
      name
      kind
      state
      createdAt
      completedAt
      rows
      bytes
      dropped
      axes
      signals
      sha256
      columns { name type unit parameter }
      files { name bytes sha256 mediaType url }
    }
  }
`)

export type DatasetDetail = NonNullable<ResultOf<typeof DATASET>['dataset']>

export const SERIES = graphql(`
  query DatasetSeries($id: ID!, $columns: [String!]!, $x: String) {
    dataset(id: $id) {
      id
      series(columns: $columns, x: $x, maxPoints: 2000) { column unit x values minimum maximum reducedFrom }
      statistics(columns: $columns) { column count nulls minimum maximum mean standardDeviation }
    }
  }
`)

export const FRAME = graphql(`
  query DatasetFrame($id: ID!, $index: SafeInt!) {
    dataset(id: $id) { id frame(index: $index) { index sequence time width height pngUrl } }
  }
`)

export const FORMATS = graphql(`
  query ExportFormats {
    exportFormats { id label extension kinds }
  }
`)

export const REQUEST_EXPORT = graphql(`
  mutation RequestExport($input: ExportInput!) {
    requestExport(input: $input) {
      ... on Job { id state }
      ... on Problem { message code }
    }
  }
`)

export const CANCEL_JOB = graphql(`
  mutation CancelJob($id: ID!) {
    cancelJob(id: $id) {
      ... on Job { id state }
      ... on Problem { message code }
    }
  }
`)

export const JOB = graphql(`
  subscription ExportJob($id: ID!) {
    job(id: $id) {
      id
      state
      progress
      progressText
      problem { message }
      export { bytes manifestUrl files { name bytes sha256 url } }
    }
  }
`)
