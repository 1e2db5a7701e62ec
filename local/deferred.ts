/** A promise settled from outside, where the event and its waiter meet in different functions. Node 20 has no Promise.withResolvers. */
export type Deferred<T> = {
  readonly promise: Promise<T>
  readonly isSettled: boolean
  resolve(value: T): void
  reject(error: Error): void
}

export function deferred<T>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined
  let isSettled = false
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  promise.catch(() => undefined) // nobody may wait any more; whoever does still gets the rejection
  return {
    promise,
    get isSettled() {
      return isSettled
    },
    resolve(value) {
      isSettled = true
      settle?.resolve(value)
    },
    reject(error) {
      isSettled = true
      settle?.reject(error)
    },
  }
}
