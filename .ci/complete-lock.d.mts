export function missingStubs(lock: { readonly packages: Readonly<Record<string, object>> }): ReadonlyMap<string, object>
