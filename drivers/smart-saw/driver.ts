import { shippedDriver, shippedProfile } from '../modbus/shipped.ts'

/** profile.yaml, beside the sources. */
const PROFILE = ['./profile.yaml', '../../../drivers/smart-saw/profile.yaml'].map((path) => new URL(path, import.meta.url))

export const sawProfile = shippedProfile(PROFILE)

/** The band saw's PLC over Modbus TCP: the driver of every register profile, with the saw's. */
export const smartSaw = shippedDriver('smart-saw', sawProfile)
