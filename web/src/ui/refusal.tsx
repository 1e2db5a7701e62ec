import type { Refusal } from '../graphql.ts'

/** What the server refused and why, in its own words, beside the control that asked. */
export function RefusalNote({ refusal, onDismiss }: { refusal: Refusal | { message: string } | undefined; onDismiss?: () => void }) {
  if (refusal === undefined) return null
  return (
    <div className="refusal" role="alert" data-code={'code' in refusal ? refusal.code : undefined}>
      <p>{refusal.message}</p>
      {onDismiss !== undefined && (
        <button type="button" aria-label="Dismiss" onClick={onDismiss}>
          ×
        </button>
      )}
    </div>
  )
}
