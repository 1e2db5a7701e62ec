import { builder } from '../builder.ts'

/** Read by values.ts. */
export const ValueInputRef = builder.inputType('ValueInput', {
  isOneOf: true,
  fields: (t) => ({ number: t.float(), integer: t.field({ type: 'SafeInt' }), boolean: t.boolean(), text: t.string(), list: t.floatList() }),
})
export const NamedValueInputRef = builder.inputType('NamedValueInput', {
  fields: (t) => ({ name: t.string({ required: true }), value: t.field({ type: ValueInputRef, required: true }) }),
})
