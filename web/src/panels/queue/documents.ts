import { graphql, type ResultOf } from '../../graphql.ts'

export const STATIONS = graphql(`
  query QueueStations {
    lab { stations { id name } }
  }
`)

export const QUEUE = graphql(`
  query RunQueue($stationId: ID!) {
    runQueue(stationId: $stationId) {
      held
      reason
      entries {
        position
        waitsFor
        run { id number state points totalPoints progress plan { summary } session { title } }
      }
    }
  }
`)

export const RECENT = graphql(`
  query RecentRuns {
    runs(first: 12) {
      edges { node { id number state startedAt endedAt points totalPoints progress exitReason plan { summary } problem { message } } }
    }
  }
`)

export const RUN = graphql(`
  subscription RunNow($id: ID!, $after: Cursor) {
    run(id: $id, after: $after) { cursor run { id state points totalPoints progress } }
  }
`)

export const RELEASE = graphql(`
  mutation ReleaseQueue($stationId: ID!) {
    releaseQueue(stationId: $stationId) {
      ... on RunQueue { held }
      ... on Problem { message code }
    }
  }
`)

export const HOLD = graphql(`
  mutation HoldQueue($stationId: ID!, $reason: String) {
    holdQueue(stationId: $stationId, reason: $reason) {
      ... on RunQueue { held }
      ... on Problem { message code }
    }
  }
`)

export const ABORT = graphql(`
  mutation AbortRun($id: ID!, $reason: String) {
    abortRun(id: $id, reason: $reason) {
      ... on Run { id state }
      ... on Problem { message code }
    }
  }
`)

export type Run = ResultOf<typeof RECENT>['runs']['edges'][number]['node']
