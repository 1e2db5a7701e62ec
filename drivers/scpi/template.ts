/** Texts for the wire in which a word in braces stands for what is filled in. */

const PLACEHOLDER = /\{(\w+)\}/g

export function placeholders(template: string): readonly string[] {
  return [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name)
}

/** What is not given stays as it stands. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(PLACEHOLDER, (whole, name: string) => (Object.hasOwn(values, name) ? (values[name] ?? whole) : whole))
}
