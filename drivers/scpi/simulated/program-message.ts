/** One unit of a program message (IEEE 488.2, 7.3): a header from the root, whether it asks, and its parameters as they were written. */
export type Unit = { readonly words: readonly string[]; readonly query: boolean; readonly parameters: readonly string[] }

/**
 * The units of a message: separated by semicolons, each header relative to the one before it (SCPI-99, volume 1, 6.2.4) unless it starts with a colon or an
 * asterisk. `bad` where a unit is no unit.
 */
export function parseMessage(message: string): readonly (Unit | { readonly bad: string })[] {
  let path: readonly string[] = []
  return splitOutside(message, ';').map((part) => {
    const text = part.trim()
    if (text === '') return { bad: part }
    const match = /^(:?)(\*?[A-Za-z]\w*(?::[A-Za-z]\w*)*)(\??)(?:\s+(.*)|)$/s.exec(text)
    if (match === null) return { bad: text }
    const [, root, header = '', mark, rest] = match
    const own = header.split(':')
    const words = root === ':' || header.startsWith('*') ? own : [...path, ...own]
    if (!header.startsWith('*')) path = words.slice(0, -1)
    return { words, query: mark === '?', parameters: rest === undefined || rest.trim() === '' ? [] : splitOutside(rest, ',').map((each) => each.trim()) }
  })
}

/** Not at separators within quotes or parentheses. */
function splitOutside(text: string, separator: string): readonly string[] {
  const parts: string[] = []
  let part = ''
  let quote = ''
  let depth = 0
  for (const character of text) {
    if (quote !== '') {
      if (character === quote) quote = ''
    } else if (character === '"' || character === "'") quote = character
    else if (character === '(') depth += 1
    else if (character === ')') depth -= 1
    else if (character === separator && depth === 0) {
      parts.push(part)
      part = ''
      continue
    }
    part += character
  }
  return [...parts, part]
}
