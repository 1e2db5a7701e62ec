/**
 * What PVCAM's codes have been seen to mean, beside the library's own text, and what helps. Only codes whose cause is known from real cameras stand here
 * (SDK 3.10, Prime BSI); every other one is told with PVCAM's text alone.
 */
const CURES: ReadonlyMap<number, string> = new Map([
  [151, 'the environment variable PVCAM_VERSION, or pvcam.ini, is missing at run time: set it for the service that runs this station, not only in a shell'],
  [185, 'the camera does not take this combination of regions, binning, exposure mode, expose-out mode and buffer mode: choose others among its own'],
  [195, 'another program has the camera open, or holds its USB interface: end it; after a hard kill plug the camera out and in again'],
])

export function withPvcamCure(message: string, code: number): string {
  const cure = CURES.get(code)
  return cure === undefined ? message : `${message}: ${cure}`
}
