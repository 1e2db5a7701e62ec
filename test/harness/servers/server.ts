/** A server that runs, and the variables by which tests find it. */
export type Server = AsyncDisposable & { readonly variables: Readonly<Record<string, string>> }
