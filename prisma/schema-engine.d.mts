export function schemaDiff(options: { readonly from: 'empty' | 'migrations'; readonly scratchUrl: string }): Promise<string>
export function withoutVectorIndexes(sql: string): string
