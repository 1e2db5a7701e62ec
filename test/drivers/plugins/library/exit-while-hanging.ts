import { statSync } from 'node:fs'
import { openDriverDevice } from '../../../../native/devices.ts'
import { until } from '../../../until.ts'

/** Asks a library what it does not answer, and ends while it hangs. */
const [, , library = '', file = ''] = process.argv
setTimeout(() => process.exit(1), 10_000) // a call that hangs keeps no process alive: whoever waits has a deadline of his own
const opened = await openDriverDevice(library, JSON.stringify({ address: file }))
if (opened.code !== 0) throw new Error(opened.text)
void opened.device.read('hang')
await until(() => statSync(file).size > 0, { what: 'the library hangs' })
process.stdout.write('asked\n')
process.exit(0)
