import { graphql, type ResultOf } from '../../graphql.ts'

export const CAMERAS = graphql(`
  query Cameras {
    devices(filter: { capabilities: [FRAME_PRODUCER] }, first: 50) {
      edges {
        node {
          id
          name
          label
          simulated
          connection
          capabilities
          camera { width height bitDepth streaming roi { x y width height } exposure { time quality unit number text boolean } }
        }
      }
    }
  }
`)

export type Camera = ResultOf<typeof CAMERAS>['devices']['edges'][number]['node']

export const TICKET = graphql(`
  query FrameTicket($id: ID!, $quality: FrameQuality, $maxRateHz: Float, $roi: RoiInput, $compression: StreamCompression) {
    device(id: $id) {
      id
      camera { ticket(quality: $quality, maxRateHz: $maxRateHz, roi: $roi, compression: $compression) { url protocol expiresAt } }
    }
  }
`)

export const CONFIGURE = graphql(`
  mutation ConfigureCamera($input: ConfigureCameraInput!) {
    configureCamera(input: $input) {
      ... on CommandPayload { state device { id camera { roi { x y width height } exposure { number unit } } } }
      ... on Problem { message code }
    }
  }
`)

export const START_LIVE = graphql(`
  mutation StartLive($deviceId: ID!) {
    startLive(deviceId: $deviceId) {
      ... on CommandPayload { state device { id camera { streaming } } }
      ... on Problem { message code }
    }
  }
`)

export const STOP_LIVE = graphql(`
  mutation StopLive($deviceId: ID!) {
    stopLive(deviceId: $deviceId) {
      ... on CommandPayload { state device { id camera { streaming } } }
      ... on Problem { message code }
    }
  }
`)
