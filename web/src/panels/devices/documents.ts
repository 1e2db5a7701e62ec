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
          motion { parameter { id } unit minimum maximum homed }
          shutter { parameter { id name } open quality }
          emission { parameter { id name } on quality }
          wavelength { parameter { id name } setpointParameter { id name } minimum maximum unit }
          commands { name }
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

/** What its forms ask for, which is much: only of a device that is looked at. */
export const OWN_COMMANDS = graphql(`
  query OwnCommands($id: ID!) {
    device(id: $id) {
      id
      commands { name description result arguments { name kind unit default required description minimum maximum choices } }
    }
  }
`)

export type Command = NonNullable<ResultOf<typeof OWN_COMMANDS>['device']>['commands'][number]

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

export const SET_SHUTTER = graphql(`
  mutation SetShutter($deviceId: ID!, $open: Boolean!, $options: CommandOptions) {
    setShutter(deviceId: $deviceId, open: $open, options: $options) {
      ... on CommandPayload { state }
      ... on Problem { message code }
    }
  }
`)

export const SET_EMISSION = graphql(`
  mutation SetEmission($deviceId: ID!, $on: Boolean!, $options: CommandOptions) {
    setEmission(deviceId: $deviceId, on: $on, options: $options) {
      ... on CommandPayload { state }
      ... on Problem { message code }
    }
  }
`)

export const SET_WAVELENGTH = graphql(`
  mutation SetWavelength($deviceId: ID!, $value: Float!, $unit: String!, $options: CommandOptions) {
    setWavelength(deviceId: $deviceId, value: $value, unit: $unit, options: $options) {
      ... on CommandPayload { state }
      ... on Problem { message code }
    }
  }
`)

export const INVOKE = graphql(`
  mutation Invoke($deviceId: ID!, $command: String!, $arguments: [NamedValueInput!], $options: CommandOptions) {
    invoke(deviceId: $deviceId, command: $command, arguments: $arguments, options: $options) {
      ... on CommandPayload { state value elapsedMs }
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
