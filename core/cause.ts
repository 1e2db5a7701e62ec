/** Who or what changed something, and why. It travels from the request to the hardware write and into the history. */
export type CauseKind = 'PERSON' | 'API_KEY' | 'PLAN' | 'PRESET' | 'RESTORE' | 'SCRIPT' | 'MODULE' | 'INTERLOCK' | 'EMERGENCY_STOP' | 'DEVICE'

export type Cause = {
  readonly kind: CauseKind
  /** The person's or key's name; absent for DEVICE (the front panel, the instrument itself). */
  readonly actor?: string
  readonly sessionId?: string
  readonly runId?: string
  readonly jobId?: string
  readonly reason?: string
  readonly requestId?: string
}

export type Role = 'VIEWER' | 'OPERATOR' | 'ENGINEER' | 'ADMIN'
export const ROLES = ['VIEWER', 'OPERATOR', 'ENGINEER', 'ADMIN'] as const satisfies readonly Role[]

/** Every request has one. A named local user by default; an API key names another. */
export type Actor = { readonly id: string; readonly name: string; readonly role: Role; readonly kind: 'PERSON' | 'API_KEY' }

export function atLeast(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed)
}
