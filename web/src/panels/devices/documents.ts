import { graphql, type ResultOf } from '../../graphql.ts'

export const DEVICES = graphql(`
  query Devices {
    devices(first: 200) {
      edges {
        node {
          id
          name
          label
          address
          simulated
          connection
          status { code text }
          capabilities
          driver { model vendor }
          port { path }
          motion { unit minimum maximum homed }
          readout { parameter { id } }
          parameters {
            id
            name
            description
            kind
            unit
            minimum
            maximum
            step
            choices
            access
            reading { time quality unit number text boolean list }
          }
        }
      }
      pageInfo { hasNextPage }
    }
  }
`)

export type Device = ResultOf<typeof DEVICES>['devices']['edges'][number]['node']
export type Parameter = Device['parameters'][number]

export const MOVE = graphql(`
  mutation Move($input: MoveInput!) {
    move(input: $input) {
      ... on CommandPayload { state elapsedMs requestId }
      ... on Problem { message code }
    }
  }
`)

export const HOME = graphql(`
  mutation Home($deviceId: ID!, $options: CommandOptions) {
    home(deviceId: $deviceId, options: $options) {
      ... on CommandPayload { state }
      ... on Problem { message code }
    }
  }
`)

export const STOP = graphql(`
  mutation Stop($deviceId: ID!) {
    stop(deviceId: $deviceId) {
      ... on CommandPayload { state }
      ... on Problem { message code }
    }
  }
`)

export const SET = graphql(`
  mutation SetParameter($input: SetParameterInput!) {
    setParameter(input: $input) {
      ... on CommandPayload { state readings { reading { time quality unit number text boolean list } } }
      ... on Problem { message code }
    }
  }
`)

export const REFRESH = graphql(`
  mutation RefreshParameters($deviceId: ID!) {
    refreshParameters(deviceId: $deviceId) {
      ... on CommandPayload { state }
      ... on Problem { message code }
    }
  }
`)

export const CONNECT = graphql(`
  mutation ConnectDevice($id: ID!) {
    connectDevice(id: $id) {
      ... on Device { id connection }
      ... on Problem { message code }
    }
  }
`)

export const DISCONNECT = graphql(`
  mutation DisconnectDevice($id: ID!) {
    disconnectDevice(id: $id) {
      ... on Device { id connection }
      ... on Problem { message code }
    }
  }
`)
