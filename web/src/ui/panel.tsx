import { createContext, type ReactNode, use, useId } from 'react'
import { Button } from './button.tsx'

export type PanelPlace = { readonly id: string; readonly title: string /** It alone fills the page. */; readonly solo: boolean; toggleSolo(): void }

export const PanelContext = createContext<PanelPlace>({ id: 'panel', title: '', solo: false, toggleSolo: () => undefined })

export function usePanel(): PanelPlace {
  return use(PanelContext)
}

type Properties = { note?: ReactNode; tools?: ReactNode; flush?: boolean; children: ReactNode }

/** The frame of a panel: a landmark with its title, what belongs to all of it at the right, its content below. */
export function PanelFrame({ note, tools, flush, children }: Properties) {
  const heading = useId()
  const { id, title, solo, toggleSolo } = usePanel()
  return (
    <section className="panel" data-panel={id} data-solo={solo || undefined} aria-labelledby={heading} tabIndex={-1}>
      <header className="panel-head">
        <h2 id={heading}>{title}</h2>
        {note !== undefined && <span className="panel-note">{note}</span>}
        <div className="panel-tools">
          {tools}
          <Button
            kind="quiet"
            aria-label={solo ? `Back to the overview from ${title}` : `Show only ${title}`}
            title={solo ? 'Back to the overview' : 'Show only this'}
            onClick={toggleSolo}
          >
            <svg
              width="14"
              height="14"
              viewBox="0 0 14 14"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.5"
              strokeLinecap="round"
              strokeLinejoin="round"
              aria-hidden="true"
            >
              <path d={solo ? 'M13 1 9 5m0-3v3h3M1 13l4-4m0 3V9H2' : 'M9 5l4-4m-3.5 0H13v3.5M5 9l-4 4m3.5 0H1V9.5'} />
            </svg>
          </Button>
        </div>
      </header>
      <div className="panel-body" data-flush={flush || undefined}>
        {children}
      </div>
    </section>
  )
}

export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>
}

export function Progress({ share, label }: { share: number | null | undefined; label: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, share ?? 0)) * 100)
  return (
    <div className="progress" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
      <span style={{ width: `${percent}%` }} />
    </div>
  )
}
