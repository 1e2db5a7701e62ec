import { HardwareFault } from '../../../core/errors.ts'

/** Why commands end when their station does. The station itself stops what moves. */
export class StationEnds extends HardwareFault {
  constructor() {
    super('the station ends', 'POSSIBLE')
  }
}
