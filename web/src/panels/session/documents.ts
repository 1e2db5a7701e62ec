import { graphql, type ResultOf } from '../../graphql.ts'

export const OPEN = graphql(`
  query OpenSessions {
    sessions(filter: { state: OPEN }, first: 5) {
      edges {
        node {
          id
          title
          operator
          startedAt
          tags
          runs(first: 5) { edges { node { id } } pageInfo { hasNextPage } }
          notes { id time author text }
        }
      }
    }
  }
`)

export type Session = ResultOf<typeof OPEN>['sessions']['edges'][number]['node']

export const START = graphql(`
  mutation StartSession($input: StartSessionInput!) {
    startSession(input: $input) {
      ... on Session { id }
      ... on Problem { message code }
    }
  }
`)

export const END = graphql(`
  mutation EndSession($id: ID!) {
    endSession(id: $id) {
      ... on Session { id }
      ... on Problem { message code }
    }
  }
`)

export const ANNOTATE = graphql(`
  mutation Annotate($input: AnnotateInput!) {
    annotate(input: $input) {
      ... on Note { id }
      ... on Problem { message code }
    }
  }
`)
