import type { DescriptionFormat } from '../catalog/description.ts'
import { driverOf } from './driver.ts'
import { PROTOCOL, readDescription } from './read-description.ts'

/** Instruments that speak SCPI or in the manner of IEEE 488.2, described by one file each: docs/describing-an-instrument.md. */
export const scpiFormat: DescriptionFormat = {
  protocol: PROTOCOL,
  driverOf: (text, file) => driverOf(readDescription(text, file)),
}
