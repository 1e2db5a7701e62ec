import { graphql, type ResultOf } from '../../graphql.ts'

export const PLACES = graphql(`
  query Places {
    stations(first: 50) { edges { node { id name online } } }
    drivers { id vendor model connection { name kind unit default required description minimum maximum choices } }
  }
`)

export type Places = ResultOf<typeof PLACES>
export type Driver = Places['drivers'][number]

export const DISCOVER = graphql(`
  mutation DiscoverDevices($stationId: ID!) {
    discoverDevices(stationId: $stationId) {
      ... on DiscoverPayload {
        found {
          port { id path kind serialNumber vendor }
          identity
          address
          driver { id vendor model }
          known { id name label }
          settings { name value }
        }
      }
      ... on Problem { message code }
    }
  }
`)

export type Found = Extract<ResultOf<typeof DISCOVER>['discoverDevices'], { found: unknown }>['found'][number]

export const REGISTER = graphql(`
  mutation RegisterDevice($input: RegisterDeviceInput!) {
    registerDevice(input: $input) {
      ... on Device { id name }
      ... on Problem { message code }
    }
  }
`)
