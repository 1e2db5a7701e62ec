import { openDriverDevice } from '../../../../native/devices.ts'

/** Asks a library what it does not answer, and ends. */
const [, , library = '', file = ''] = process.argv
const deadline = setTimeout(() => process.exit(1), 10_000) // a call that hangs keeps no process alive: whoever waits has a timer
const opened = await openDriverDevice(library, JSON.stringify({ address: file }))
if (opened.code !== 0) throw new Error(opened.text)
void opened.device.read('hang')
setTimeout(() => {
  clearTimeout(deadline)
  process.stdout.write('asked\n')
  process.exit(0)
}, 50)
