import { NotSupported } from '../../core/errors.ts'
import type { Driver } from '../driver.ts'

export type NativeLibraryDriver = { readonly path: string }

export function nativeLibrary(_: NativeLibraryDriver): Driver {
  throw new NotSupported('not yet')
}
