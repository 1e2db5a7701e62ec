import { readdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { PANELS } from '../../web/src/panels/index.ts'

const folder = path.join(import.meta.dirname, '../../web/src/panels')

test('every panel folder is in the list, and every line of the list has its folder', () => {
  const folders = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
  expect(PANELS.map((panel) => panel.id).sort()).toEqual(folders.sort())
  for (const name of folders) expect(readdirSync(path.join(folder, name))).toContain('panel.tsx')
})

test('each panel is loaded from its own folder', () => {
  for (const panel of PANELS) expect(String(panel.load)).toContain(`/${panel.id}/panel.tsx`)
})
