import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { printedSchema } from './printed-schema.ts'

/** `node dist/api/print-schema.js [file]`, from the top folder: writes the committed GraphQL schema after a noun was changed. */
writeFileSync(resolve(process.argv[2] ?? 'api/schema.graphql'), printedSchema())
