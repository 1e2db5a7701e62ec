/** What the simulated instruments share: a laser beam that a slit on the first axis cuts out, and the light that is then left for the meter. */
export type Beam = {
  readonly peakWatts: number
  /** Where the beam is on the axis, and its 1/e² radius, in mm. */
  readonly centreMm: number
  readonly radiusMm: number
  /** Room light. */
  readonly offsetWatts: number
}

export const BEAM: Beam = { peakWatts: 2.5e-3, centreMm: 12.5, radiusMm: 3, offsetWatts: 2e-8 }

/** Power behind the slit at a position: a Gaussian beam. The meter adds its own noise. */
export function lightAt(positionMm: number, beam: Beam = BEAM): number {
  const distance = positionMm - beam.centreMm
  return beam.peakWatts * Math.exp((-2 * distance * distance) / (beam.radiusMm * beam.radiusMm)) + beam.offsetWatts
}
