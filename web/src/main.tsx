import { MantineProvider } from '@mantine/core'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './mantine.css'
import './theme.css'
import './ui/ui.css'
import './shell/shell.css'
import { App } from './app.tsx'
import { LabProvider, openLab } from './state/lab.tsx'
import { cssVariables, theme } from './theme.ts'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no element with the id root')

const lab = openLab()
addEventListener('pagehide', (event) => {
  if (!event.persisted) lab.close()
})

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <LabProvider lab={lab}>
        <App />
      </LabProvider>
    </MantineProvider>
  </StrictMode>,
)
