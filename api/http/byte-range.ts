/** The parts of RFC 9110 that a file server needs: one range, and tags. Pure. */

/** First and last byte, both included. */
export type ByteRange = { readonly first: number; readonly last: number }

/**
 * undefined: the whole file (no range, several ranges, or not bytes; RFC 9110 14.2 allows to ignore them). 'unsatisfiable': nothing of it is there.
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '')
  if (match === null) return undefined
  const [, from = '', to = ''] = match
  if (from === '' && to === '') return undefined
  if (from === '') {
    const length = Math.min(Number(to), size)
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 }
  }
  const first = Number(from)
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < first) return undefined
  return first >= size ? 'unsatisfiable' : { first, last }
}

/** Whether the client's copy is this one. */
export function noneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}

/** Whether what was last modified then is what a client has that asks with If-Modified-Since; a date of HTTP has whole seconds. */
export function notSince(header: string | undefined, modified: Date | undefined): boolean {
  if (header === undefined || modified === undefined) return false
  return Math.floor(modified.getTime() / 1000) * 1000 <= Date.parse(header)
}

/** Whether a range may be taken of this version: only by a strong tag; a date says too little. */
export function rangeStillHolds(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange.trim() === etag
}

/** For every browser: plain characters, and the real name beside where it has others (RFC 6266). */
export function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  return plain === name
    ? `attachment; filename="${name}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (each) => `%${each.charCodeAt(0).toString(16)}`)}`
}
