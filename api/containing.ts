/** A filter for texts that hold this one, in capitals or not. The database would take % and _ for anything, and a person means what they typed. */
export function containing(text: string): { readonly contains: string; readonly mode: 'insensitive' } {
  return { contains: text.replaceAll(/[\\%_]/g, '\\$&'), mode: 'insensitive' }
}
