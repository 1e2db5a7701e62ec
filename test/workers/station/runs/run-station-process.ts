import { startRunStation } from './run-lab.ts'

/** A station in a process that the test kills; its paths come as JSON. */
const station = await startRunStation(JSON.parse(process.argv[2] ?? '{}'))
process.stdout.write('ready\n')
process.once('SIGTERM', () => void station[Symbol.asyncDispose]().then(() => process.exit(0)))
