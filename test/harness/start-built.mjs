// What `npm start` does once everything is built, without looking whether it is.
import path from 'node:path'
import { main } from '../../dist/local/main.js'

await main(path.resolve(import.meta.dirname, '../..'), process.env)
