import type { ButtonHTMLAttributes, Ref } from 'react'

type Properties = ButtonHTMLAttributes<HTMLButtonElement> & { kind?: 'primary' | 'plain' | 'quiet' | 'halt'; busy?: boolean; ref?: Ref<HTMLButtonElement> }

/** busy: what it started is under way; it stays in place and in reach, but a second press does nothing. */
export function Button({ kind = 'plain', busy = false, onClick, type = 'button', className, ...rest }: Properties) {
  return (
    <button
      {...rest}
      type={type}
      className={className === undefined ? 'button' : `button ${className}`}
      data-kind={kind}
      data-busy={busy || undefined}
      aria-busy={busy || undefined}
      onClick={(event) => {
        if (busy) event.preventDefault()
        else onClick?.(event)
      }}
    />
  )
}
