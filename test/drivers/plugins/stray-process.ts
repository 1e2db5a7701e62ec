import { inNameOf, surviveErrorsOfPlugins } from '../../../drivers/plugins/stray-errors.ts'

/** A process that survives what its argument does in a plugin's name, says what it heard, and ends by itself; or dies of an error of its own. */
const [, , kind = '', folder = ''] = process.argv
const culprit = {
  folder,
  blame: (sentence: string) => {
    process.stdout.write(`blamed: ${sentence}\n`)
    setImmediate(() => process.stdout.write('still alive\n'))
  },
}
surviveErrorsOfPlugins(
  () => [culprit],
  (error) => process.stdout.write(`last words: ${error instanceof Error ? error.message : String(error)}\n`),
)
const strays = (await import(`${folder}/strays.mjs`)) as Readonly<Record<string, () => void>>
if (kind === 'ours') setTimeout(() => Promise.reject(new Error('our own')), 1)
else inNameOf(culprit, () => strays[kind]?.())
