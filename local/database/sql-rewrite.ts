/**
 * One PostgreSQL session serves every client here, so statements that act on "the session" must not reach it as they are. They are replaced in the text
 * by a DO block, which keeps the protocol's own course: the engine itself answers, fails the transaction where one is open, and skips to the next Sync.
 */

export type Rewritten = {
  readonly sql: string
  readonly listen: readonly string[]
  /** '*' stands for all. */
  readonly unlisten: readonly string[]
  /** It may change a setting of the session (SET, RESET, set_config). */
  readonly changesSettings: boolean
}

const NAME = String.raw`("(?:[^"]|"")+"|[a-z_][\w$]*)`
const START = String.raw`(?<=^|;)\s*`
const CANDIDATE = /\b(?:un)?listen\b|\bcopy\b|\bdiscard\b|\bdeallocate\b|\bset\b|\breset\b|\bset_config\b/i
const LISTEN = new RegExp(`${START}listen\\s+${NAME}`, 'gi')
const UNLISTEN = new RegExp(`${START}unlisten\\s+(\\*|${NAME})`, 'gi')
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`${START}copy\\b[^;]*\\bfrom\\s+stdin\\b[^;]*`, 'gi'), 'COPY FROM STDIN'], // it ends the engine
  [new RegExp(`${START}discard\\s+(all|plans|sequences|temp|temporary)\\b`, 'gi'), 'DISCARD'],
  [new RegExp(`${START}deallocate\\s+(prepare\\s+)?all\\b`, 'gi'), 'DEALLOCATE ALL'],
]
const SETTINGS = new RegExp(`${START}(set|reset)\\b|\\bset_config\\b`, 'i')
const NOTHING = "DO 'BEGIN END'"

export function rewriteSql(sql: string): Rewritten {
  if (!CANDIDATE.test(sql)) return { sql, listen: [], unlisten: [], changesSettings: false }
  const shape = withoutLiterals(sql)
  const edits: { readonly start: number; readonly end: number; readonly text: string }[] = []
  for (const [pattern, what] of FORBIDDEN)
    for (const match of shape.matchAll(pattern)) edits.push({ start: match.index, end: match.index + match[0].length, text: refusal(what) })
  const unlisten: string[] = []
  for (const match of shape.matchAll(UNLISTEN)) {
    unlisten.push(identifier(match[1] ?? '*'))
    edits.push({ start: match.index, end: match.index + match[0].length, text: NOTHING })
  }
  let rewritten = sql
  for (const { start, end, text } of edits.sort((a, b) => b.start - a.start)) rewritten = rewritten.slice(0, start) + text + rewritten.slice(end)
  return {
    sql: rewritten,
    listen: [...shape.matchAll(LISTEN)].map((match) => identifier(match[1] ?? '')),
    unlisten,
    changesSettings: SETTINGS.test(shape),
  }
}

function refusal(what: string): string {
  return `DO $refuse$BEGIN RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = '${what} is not available on the embedded database'; END$refuse$`
}

function identifier(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase()
}

const LITERAL = new RegExp(
  [
    String.raw`--[^\n]*`,
    String.raw`\/\*[\s\S]*?\*\/`,
    String.raw`\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'`,
    `'(?:[^']|'')*'`,
    String.raw`(?<![\w$])(\$(?:[a-zA-Z_]\w*)?\$)[\s\S]*?\1`,
    `"(?:[^"]|"")*"`,
  ].join('|'),
  'g',
)

/** The same text with comments and the insides of literals blanked out, every character in its place. Quoted identifiers stay. */
export function withoutLiterals(sql: string): string {
  return sql.replace(LITERAL, (found) =>
    found.startsWith('"') ? found : found.startsWith('-') || found.startsWith('/') ? ' '.repeat(found.length) : `'${' '.repeat(found.length - 2)}'`,
  )
}
