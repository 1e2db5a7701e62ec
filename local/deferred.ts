/** A promise settled from outside, where the event and its waiter meet in different functions. Node 20 has no Promise.withResolvers. */
export type Deferred<T> = { readonly promise: Promise<T>; resolve(value: T): void; reject(error: Error): void }

export function deferred<T>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  promise.catch(() => undefined) // nobody may wait any more; whoever does still gets the rejection
  return { promise, resolve: (value) => settle?.resolve(value), reject: (error) => settle?.reject(error) }
}
