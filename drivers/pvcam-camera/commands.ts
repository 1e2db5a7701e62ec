import { DeviceBusy, NotFound } from '../../core/errors.ts'
import type { PvcamCamera } from '../../native/pvcam-types.ts'
import type { CommandFacet } from '../driver.ts'
import type { CameraStream } from './camera-stream.ts'

export function commandsOf(camera: PvcamCamera, stream: CameraStream): CommandFacet {
  return {
    specs: [
      {
        name: 'software_trigger',
        description: 'Gives a streaming camera the trigger that its mode waits for. Answers whether it was waiting for one',
        arguments: [],
        result: 'BOOLEAN',
      },
      { name: 'reset_post_processing', description: 'Sets every post-processing feature to what it was made with', arguments: [] },
    ],
    invoke: async (name) => {
      switch (name) {
        case 'software_trigger':
          if (!camera.streaming) throw new DeviceBusy('a software trigger needs a camera that streams; start it first', {})
          return await camera.softwareTrigger()
        case 'reset_post_processing':
          await stream.between(() => camera.resetPostProcessing())
          return undefined
        default:
          throw new NotFound(`command ${name}`)
      }
    },
  }
}
