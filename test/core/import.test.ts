import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IMPORT_FORMATS, parseImportUrl } from '../../core/import.ts'
import { IMPORTERS } from '../../storage/importers/index.ts'

test('a path below the folder, and options', () => {
  expect(parseImportUrl('import:saw/total.db?timeZone=Europe/Istanbul')).toEqual({
    file: 'saw/total.db',
    options: { register: false, timeZone: 'Europe/Istanbul' },
  })
  expect(parseImportUrl('import:a%20b.toml?register=true&station=local')).toEqual({ file: 'a b.toml', options: { register: true, station: 'local' } })
})

test.each([
  'import:../secret',
  'import:a/../../secret',
  'import:%2e%2e/secret',
  'import:/etc/passwd',
  'import:a//b',
  'import:',
  'import:a\\b',
  'import:a%00b',
  'import:%',
  'import:a?zone=UTC',
  'import:a?register=yes',
  'saw/total.db',
])('%s is refused with what is allowed', (url) => {
  expect(() => parseImportUrl(url)).toThrow('write import:<path below import/')
})

test('another scheme is not supported', () => {
  for (const url of ['https://example.com/total.db', 'file:///etc/passwd']) expect(() => parseImportUrl(url)).toThrow('is not read; put the file into import/')
})

test('no url leads out of the folder', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webPath(), fc.stringMatching(/^[./%2eE5cC]{1,12}$/)), (path) => {
      let file: string | undefined
      try {
        file = parseImportUrl(`import:${path}`).file
      } catch {
        return
      }
      expect(file.startsWith('/') || file.split('/').includes('..') || file.includes('\0')).toBe(false)
    }),
  )
})

test('the list of formats and the importers are the same', () => {
  expect(IMPORTERS.map(({ id }) => id)).toEqual([...IMPORT_FORMATS])
})
