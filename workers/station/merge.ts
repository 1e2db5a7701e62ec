/** Items of all sources as they come, until each has ended. A source that fails fails the whole; leaving early ends them all. */
export async function* merge<T>(...sources: readonly AsyncIterable<T>[]): AsyncGenerator<T, void, void> {
  type Turn = { readonly iterator: AsyncIterator<T>; readonly result: IteratorResult<T> }
  const turn = (iterator: AsyncIterator<T>): Promise<Turn> => iterator.next().then((result) => ({ iterator, result }))
  const turns = new Map(sources.map((source) => source[Symbol.asyncIterator]()).map((iterator) => [iterator, turn(iterator)]))
  try {
    while (turns.size > 0) {
      const { iterator, result } = await Promise.race(turns.values())
      if (result.done === true) turns.delete(iterator)
      else {
        turns.set(iterator, turn(iterator))
        yield result.value
      }
    }
  } finally {
    for (const [iterator, pending] of turns) {
      pending.catch(() => undefined) // its failure has no reader any more
      void iterator.return?.()
    }
  }
}
