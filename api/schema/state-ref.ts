import { builder } from '../builder.ts'

/** Read by states/reference.ts. */
export const StateRefRef = builder.inputType('StateRef', {
  description: 'A state of the lab: at the start of a session or a run, at a moment, as a preset has it, or now.',
  isOneOf: true,
  fields: (t) => ({ sessionId: t.id(), runId: t.id(), at: t.field({ type: 'Time' }), presetId: t.id(), now: t.boolean() }),
})
