import { CannotStart } from './child.ts'

/** Where a station's link listens, as its row in PostgreSQL says it. */
export function unixAddress(path: string): string {
  return `unix:${path}`
}

/** Throws for what this version cannot speak. */
export function socketPath(address: string): string {
  if (address.startsWith('unix:/')) return address.slice('unix:'.length)
  throw new CannotStart(`${JSON.stringify(address)} is not an address of a station link; it must be unix:/path/of/a/socket`)
}
