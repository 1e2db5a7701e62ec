import type { ComponentType } from 'react'

export type PanelDefinition = {
  /** The name of its folder, and of its place in the address: `#camera`. */
  readonly id: string
  readonly title: string
  /** The column of the overview that it stands in, on a wide screen. */
  readonly column: 'left' | 'centre' | 'right'
  readonly load: () => Promise<{ readonly Panel: ComponentType }>
}

/** One line for each folder beside this file, in the order of the overview. */
export const PANELS: readonly PanelDefinition[] = [
  { id: 'session', title: 'Session', column: 'left', load: () => import('./session/panel.tsx') },
  { id: 'devices', title: 'Devices', column: 'left', load: () => import('./devices/panel.tsx') },
  { id: 'plot', title: 'Live traces', column: 'centre', load: () => import('./plot/panel.tsx') },
  { id: 'scan', title: 'Scan', column: 'centre', load: () => import('./scan/panel.tsx') },
  { id: 'datasets', title: 'Datasets', column: 'centre', load: () => import('./datasets/panel.tsx') },
  { id: 'camera', title: 'Camera', column: 'right', load: () => import('./camera/panel.tsx') },
  { id: 'queue', title: 'Runs', column: 'right', load: () => import('./queue/panel.tsx') },
  { id: 'health', title: 'Health', column: 'right', load: () => import('./health/panel.tsx') },
  { id: 'discovery', title: 'Find devices', column: 'left', load: () => import('./discovery/panel.tsx') },
]
