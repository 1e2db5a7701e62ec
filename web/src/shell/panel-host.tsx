import { Component, type ComponentType, lazy, type ReactNode, Suspense, useMemo } from 'react'
import type { PanelDefinition } from '../panels/index.ts'
import { PANELS } from '../panels/index.ts'
import { Button } from '../ui/button.tsx'
import { PanelContext, PanelFrame } from '../ui/panel.tsx'
import { RefusalNote } from '../ui/refusal.tsx'

const loaded: ReadonlyMap<string, ComponentType> = new Map(PANELS.map((panel) => [panel.id, lazy(async () => ({ default: (await panel.load()).Panel }))]))

/** A panel that fails shows so in its own frame; the others, and the stop button, go on. */
export function PanelHost({ panel, solo, onSolo }: { panel: PanelDefinition; solo: boolean; onSolo: (id: string | undefined) => void }) {
  const Panel = loaded.get(panel.id)
  const place = useMemo(() => ({ id: panel.id, title: panel.title, solo, toggleSolo: () => onSolo(solo ? undefined : panel.id) }), [panel, solo, onSolo])
  if (Panel === undefined) return null
  return (
    <PanelContext value={place}>
      <Fence>
        <Suspense fallback={<PanelFrame>{<div className="panel-waiting" />}</PanelFrame>}>
          <Panel />
        </Suspense>
      </Fence>
    </PanelContext>
  )
}

class Fence extends Component<{ children: ReactNode }, { failure: Error | undefined }> {
  override state: { failure: Error | undefined } = { failure: undefined }

  static getDerivedStateFromError(failure: Error): { failure: Error } {
    return { failure }
  }

  override render(): ReactNode {
    const { failure } = this.state
    if (failure === undefined) return this.props.children
    return (
      <PanelFrame>
        <div className="stack">
          <RefusalNote refusal={{ message: `This panel failed: ${failure.message}` }} />
          <div>
            <Button onClick={() => this.setState({ failure: undefined })}>Show it again</Button>
          </div>
        </div>
      </PanelFrame>
    )
  }
}
