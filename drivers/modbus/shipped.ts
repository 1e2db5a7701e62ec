import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NotSupported } from '../../core/errors.ts'
import type { Driver } from '../driver.ts'
import { modbusDriver } from './driver.ts'
import type { ModbusPort } from './port.ts'
import { type ProfileFile, readProfile } from './read-profile.ts'

/** A profile that comes with the program, read when it is first needed: importing its driver touches nothing. */
export function shippedProfile(urls: readonly URL[]): () => ProfileFile {
  let read: ProfileFile | undefined
  return () => {
    read ??= readShipped(urls)
    return read
  }
}

/** From where the sources are, or from the compiled tree (dist/) beside them. */
function readShipped(urls: readonly URL[]): ProfileFile {
  const paths = urls.map((url) => fileURLToPath(url))
  const path = paths.find((candidate) => existsSync(candidate))
  if (path === undefined) throw new NotSupported(`the register profile ${paths.join(' or ')} is missing: the installation is not whole`)
  return readProfile(readFileSync(path, 'utf8'), basename(path))
}

/** The driver of a profile that has an identity, under a known name. */
export function shippedDriver(id: string, file: () => ProfileFile): Driver<ModbusPort> {
  let made: Driver<ModbusPort> | undefined
  const driver = (): Driver<ModbusPort> => {
    made ??= modbusDriver(file())
    return made
  }
  return {
    id,
    get vendor() {
      return driver().vendor
    },
    get model() {
      return driver().model
    },
    get version() {
      return driver().version
    },
    get portKind() {
      return driver().portKind
    },
    portFamily: 'modbus',
    get settings() {
      return driver().settings
    },
    get documentation() {
      return driver().documentation ?? ''
    },
    get capabilities() {
      return driver().capabilities
    },
    get afterLostStation() {
      return driver().afterLostStation ?? 'LEAVE'
    },
    locate: (settings) => driver().locate(settings),
    openPort: (settings, context, signal) => driver().openPort(settings, context, signal),
    openDevice: (port, settings, context, signal) => driver().openDevice(port, settings, context, signal),
    probe: async (address, context, signal) => (await driver().probe?.(address, context, signal)) ?? [],
  }
}
