const MAX_STEM_CHARACTERS = 100 // leaves room for numbers and extensions on every file system

/** A name for each file: the dataset's, in characters that every file system, shell and URL takes as they are, numbered where two would be the same. */
export function exportFileNames(datasets: readonly { readonly id: string; readonly name: string }[], extension: string): readonly string[] {
  const taken = new Set<string>()
  return datasets.map(({ id, name }) => {
    const stem = safeStem(name) || id
    let candidate = `${stem}.${extension}`
    for (let number = 2; taken.has(candidate.toLowerCase()); number += 1) candidate = `${stem}-${number}.${extension}`
    taken.add(candidate.toLowerCase())
    return candidate
  })
}

function safeStem(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, MAX_STEM_CHARACTERS)
}
