import {
  asProblem,
  DeadlineExceeded,
  DeviceBusy,
  DeviceOffline,
  HardwareFault,
  InvalidValue,
  LimitViolation,
  messageOf,
  NotFound,
  NotSupported,
  Problem,
} from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import { capabilitiesOf } from '../driver.ts'
import { type Kymograph, PLUGIN_API_VERSION } from '../plugin-api.ts'
import { readEach } from '../readings.ts'
import { addressOf, addressSetting, choiceOf, refuseUnknown, textOf, wholeNumberOf } from '../settings.ts'
import { openSerial } from '../transport/byte-transport.ts'
import { ExchangeQueue } from '../transport/exchange-queue.ts'
import { SerialLine } from '../transport/serial-line.ts'
import { openTcp } from '../transport/tcp-transport.ts'
import { nativeLibrary } from './native-library.ts'

/** What every plugin is given. Frozen: one plugin must not change what the next one gets. */
export const kymograph: Kymograph = Object.freeze({
  api: PLUGIN_API_VERSION,
  problems: Object.freeze({
    ...{ Problem, InvalidValue, NotFound, NotSupported, DeviceOffline, DeviceBusy, HardwareFault, DeadlineExceeded, LimitViolation, messageOf, asProblem },
  }),
  settings: Object.freeze({ addressSetting, addressOf, wholeNumberOf, choiceOf, textOf, refuseUnknown }),
  requireKind,
  openSerial,
  openTcp,
  SerialLine,
  ExchangeQueue,
  readEach,
  capabilitiesOf,
  nativeLibrary,
})
