/**
 * Headers in the notation of manuals: `[SOURce:]VOLTage[:LEVel]:PROTection#?`. Capitals are the short form, brackets are optional nodes, `#` takes a number
 * (1 when it is left out).
 */
export type HeaderPattern = { readonly nodes: readonly Node[] }
type Node = { readonly short: string; readonly long: string; readonly optional: boolean; readonly numbered: boolean }

export function headerPattern(notation: string): HeaderPattern {
  const nodes = [...notation.matchAll(/(\[)?:?([*A-Za-z]+)(#)?:?(\])?/g)].map(([, open, word = '', numbered]) => ({
    short: word.replace(/[a-z]/g, ''),
    long: word.toUpperCase(),
    optional: open !== undefined,
    numbered: numbered !== undefined,
  }))
  return { nodes }
}

/** The numbers of its nodes when the words are this header; undefined when they are another one. */
export function matchHeader({ nodes }: HeaderPattern, words: readonly string[]): readonly number[] | undefined {
  return matchFrom(nodes, 0, words, 0)
}

function matchFrom(nodes: readonly Node[], at: number, words: readonly string[], word: number): readonly number[] | undefined {
  const node = nodes[at]
  if (node === undefined) return word === words.length ? [] : undefined
  const numbers = matchNode(node, words[word])
  if (numbers !== undefined) {
    const rest = matchFrom(nodes, at + 1, words, word + 1)
    if (rest !== undefined) return [...numbers, ...rest]
  }
  if (!node.optional) return undefined
  const rest = matchFrom(nodes, at + 1, words, word)
  return rest && (node.numbered ? [1, ...rest] : rest)
}

function matchNode(node: Node, given: string | undefined): readonly number[] | undefined {
  const match = /^([*A-Za-z]+)(\d*)$/.exec(given ?? '')
  if (match === null) return undefined
  const [, word = '', digits = ''] = match
  if (word.toUpperCase() !== node.short && word.toUpperCase() !== node.long) return undefined
  if (digits !== '' && !node.numbered) return undefined
  return node.numbered ? [digits === '' ? 1 : Number(digits)] : []
}
