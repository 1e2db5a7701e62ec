import { expect, test } from 'vitest'
import type { CameraStart } from '../../native/pvcam-types.ts'
import { openCamera, type SimulatorOption, simulatedPvcam, startOf } from './pvcam-simulated.ts'

/** Of the buffer between the library and the ring, as the simulated library was given it. */
const FRAME_BUFFER_SIZE = 0x0803012c
const LARGE = 5000 // a side: a second of such frames, or the 32 that are recommended, are beyond a gigabyte

test.each<[string, number, Partial<CameraStart>, Partial<Record<SimulatorOption, string>>?]>([
  ['what the library recommends, where a second has fewer', 32, { exposureSeconds: 1 }],
  ['a second', 100, { exposureSeconds: 0.01 }],
  ['a second of smaller, binned frames', 40, { exposureSeconds: 0.025, binning: 2 }],
  ['no more than are worth while, however fast the camera is', 255, { exposureSeconds: 0 }],
  ['as many as a gigabyte holds', 21, { exposureSeconds: 1, roi: { x: 0, y: 0, width: LARGE, height: LARGE }, ringSlots: 2 }, { SIZE: `${LARGE}x${LARGE}` }],
])('it holds %s: %d frames', async (_, frames, more, options) => {
  await using simulated = await simulatedPvcam(options)
  await using camera = await openCamera(simulated)
  await using ring = await camera.start(startOf(simulated, more))
  await camera.stop()
  expect(await camera.get([FRAME_BUFFER_SIZE])).toEqual([frames * ring.frameBytes])
})
