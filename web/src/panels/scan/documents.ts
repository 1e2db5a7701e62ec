import { graphql, type ResultOf } from '../../graphql.ts'

export const BENCH = graphql(`
  query Bench {
    devices(first: 200) {
      edges {
        node {
          id
          name
          label
          capabilities
          motion { parameter { id } unit minimum maximum }
          readout { parameter { id } }
          parameters { id name kind unit minimum maximum access }
        }
      }
    }
    sessions(filter: { state: OPEN }, first: 1) { edges { node { id title } } }
  }
`)

export type BenchDevice = ResultOf<typeof BENCH>['devices']['edges'][number]['node']

export const LATEST_RUN = graphql(`
  query LatestRun {
    runs(first: 1) { edges { node { id } } }
  }
`)

export const START_RUN = graphql(`
  mutation StartRun($input: RunInput!) {
    startRun(input: $input) {
      ... on Run { id number state }
      ... on PlanRejected { reasons }
      ... on Problem { message code }
    }
  }
`)

export const RUN = graphql(`
  query CurveRun($id: ID!) {
    run(id: $id) {
      id
      number
      state
      points
      totalPoints
      progress
      exitReason
      problem { message }
      plan { type summary }
      datasets { id kind axes signals state rows }
    }
  }
`)

export const ROWS = graphql(`
  subscription RunRows($id: ID!, $after: Cursor) {
    runRows(id: $id, after: $after) {
      cursor
      gap { reason }
      columns { name type unit parameter }
      rows
    }
  }
`)
