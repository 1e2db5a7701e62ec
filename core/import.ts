import { InvalidValue, NotSupported } from './errors.ts'

/** Folder below DATA_DIR from which files are imported; whoever may write there may have them read. */
export const IMPORT_FOLDER = 'import'
export const IMPORT_FORMATS = ['rust-daq-hardware', 'driftapp-calibration', 'driftapp-session', 'smart-saw-database'] as const
export type ImportFormat = (typeof IMPORT_FORMATS)[number]

export type ImportOptions = {
  /** IANA name; of the clock that wrote times without a zone. */
  readonly timeZone?: string
  /** Name of the station that what is imported belongs to; absent: the only one. */
  readonly station?: string
  /** Devices are registered, not only proposed. */
  readonly register: boolean
}

/** Which file, and how it is to be read. */
export type ImportSource = { readonly file: string; readonly options: ImportOptions }

const OPTION_NAMES = ['timeZone', 'station', 'register']
const PREFIX = 'import:'
const MAX_URL_LENGTH = 2000

/**
 * `import:<path below the import folder>`, then options: `import:saw/total.db?timeZone=Europe/Istanbul`. Throws InvalidValue or NotSupported with what is
 * allowed. Pure: whether the file is there, and no link out of the folder, shows when it is opened.
 */
export function parseImportUrl(url: string): ImportSource {
  const refuse = (why: string): never => {
    throw new InvalidValue(
      `url: ${why}; write ${PREFIX}<path below ${IMPORT_FOLDER}/ of the data folder>, e.g. ${PREFIX}saw/total.db?timeZone=Europe/Istanbul`,
      ['input', 'url'],
    )
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url))
    throw new NotSupported(`url: ${url.slice(0, url.indexOf(':'))} is not read; put the file into ${IMPORT_FOLDER}/ of the data folder`)
  if (!url.startsWith(PREFIX) || url.length > MAX_URL_LENGTH) return refuse(`${JSON.stringify(url.slice(0, 80))} is not allowed`)
  const [path = '', query = ''] = split(url.slice(PREFIX.length))
  const file = decoded(path) ?? refuse('its path is not well encoded')
  const parts = file.split('/')
  if (file.startsWith('/') || /[\\\0]/.test(file) || parts.some((part) => part === '' || part === '.' || part === '..'))
    return refuse(`${JSON.stringify(file)} is not a plain path below the folder`)
  const given = new URLSearchParams(query)
  const unknown = [...given.keys()].find((name) => !OPTION_NAMES.includes(name))
  if (unknown !== undefined) return refuse(`${unknown} is no option (there are ${OPTION_NAMES.join(', ')})`)
  const register = given.get('register') ?? 'false'
  if (register !== 'true' && register !== 'false') return refuse(`register is ${JSON.stringify(register)}, which is neither true nor false`)
  const timeZone = given.get('timeZone')
  const station = given.get('station')
  return { file, options: { register: register === 'true', ...(timeZone !== null && { timeZone }), ...(station !== null && { station }) } }
}

function split(text: string): readonly string[] {
  const at = text.indexOf('?')
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
