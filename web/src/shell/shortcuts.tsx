import { Modal, Switch } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'
import { PANELS } from '../panels/index.ts'
import { Button } from '../ui/button.tsx'

export type Shortcuts = {
  readonly stop: () => void
  readonly show: (panel: string | undefined) => void
  readonly help: () => void
  readonly scheme: () => void
}

/** Shift + Escape always; single keys only when they are on and no field has the focus. */
export function useShortcuts(actions: Shortcuts, singleKeys: boolean): void {
  const latest = useRef(actions)
  latest.current = actions
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && event.shiftKey) {
        event.preventDefault()
        latest.current.stop()
        return
      }
      if (!singleKeys || event.ctrlKey || event.metaKey || event.altKey || event.repeat || takesText(event.target)) return
      const action = actionFor(event.key, latest.current)
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [singleKeys])
}

function actionFor(key: string, actions: Shortcuts): (() => void) | undefined {
  if (key === '?') return actions.help
  if (key === 't') return actions.scheme
  if (key === '0') return () => actions.show(undefined)
  const panel = PANELS[Number(key) - 1]
  return panel === undefined ? undefined : () => actions.show(panel.id)
}

function takesText(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches('input:not([type="checkbox"], [type="radio"]), textarea, select, [role="combobox"], [role="slider"]') ||
      target.closest('[role="dialog"]') !== null)
  )
}

type HelpProperties = { opened: boolean; onClose: () => void; singleKeys: boolean; onSingleKeys: (on: boolean) => void }

export function ShortcutHelp({ opened, onClose, singleKeys, onSingleKeys }: HelpProperties) {
  return (
    <Modal.Root opened={opened} onClose={onClose} centered>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body>
          <div className="dialog-head">
            <Modal.Title>Keyboard</Modal.Title>
            <Button kind="quiet" aria-label="Close" onClick={onClose}>
              ×
            </Button>
          </div>
          <dl className="keys">
            <Key keys={['Shift', 'Esc']}>Emergency stop, from anywhere</Key>
            <Key keys={['0']}>Overview</Key>
            {PANELS.map((panel, at) => (
              <Key key={panel.id} keys={[String(at + 1)]}>
                {panel.title} alone
              </Key>
            ))}
            <Key keys={['T']}>Colours: as the system, light, dark</Key>
            <Key keys={['?']}>This list</Key>
            <Key keys={['Enter']}>In a field: send its value</Key>
          </dl>
          <Switch
            label="Single keys are shortcuts (outside of fields)"
            checked={singleKeys}
            onChange={(event) => onSingleKeys(event.currentTarget.checked)}
            mt="md"
          />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}

function Key({ keys, children }: { keys: readonly string[]; children: ReactNode }) {
  return (
    <>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{children}</dd>
    </>
  )
}
