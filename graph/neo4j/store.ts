import neo4j, { type Driver, type ManagedTransaction } from 'neo4j-driver'
import { type GraphStore, GraphUnavailable, isIdle, type Parameters, READ_DEADLINE_MS, type Row, type Statement, WRITE_DEADLINE_MS } from '../store.ts'
import { constraintTexts } from './constraints.ts'

export type Neo4jServer = { readonly url: string; readonly user: string; readonly password: string }

export const NEO4J_PROTOCOLS = ['neo4j:', 'neo4j+s:', 'neo4j+ssc:', 'bolt:', 'bolt+s:', 'bolt+ssc:']

const CONNECT_TIMEOUT_MS = 5_000 // a server that does not answer by then is away
const MAX_CONNECTIONS = 8 // of one process

/** Connects at the first question, so it can be opened while the server is away. */
export function connectNeo4j(server: Neo4jServer): GraphStore {
  return new Neo4jStore(openDriver(server))
}

/** Throws GraphUnavailable with what the server or the way to it says against this. */
export async function reachNeo4j(server: Neo4jServer): Promise<void> {
  const driver = openDriver(server)
  try {
    await driver.verifyConnectivity()
    await driver.executeQuery('RETURN 1 AS one') // verifyConnectivity does not ask for the right to read
  } catch (error) {
    throw unavailable(error)
  } finally {
    await driver.close()
  }
}

function openDriver({ url, user, password }: Neo4jServer): Driver {
  return neo4j.driver(url, password === '' ? undefined : neo4j.auth.basic(user, password), {
    disableLosslessIntegers: true,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    connectionAcquisitionTimeout: CONNECT_TIMEOUT_MS,
    maxTransactionRetryTime: READ_DEADLINE_MS,
    maxConnectionPoolSize: MAX_CONNECTIONS,
    telemetryDisabled: true,
  })
}

class Neo4jStore implements GraphStore {
  readonly kind = 'Neo4j'
  readonly embedded = false
  readonly #driver: Driver
  #constrained = false

  constructor(driver: Driver) {
    this.#driver = driver
  }

  async read<T extends Row>(text: string, parameters: Parameters = {}): Promise<T[]> {
    if (isIdle({ text, parameters })) return []
    const session = this.#driver.session({ defaultAccessMode: neo4j.session.READ })
    try {
      return await session.executeRead((transaction) => run<T>(transaction, text, parameters), { timeout: READ_DEADLINE_MS })
    } catch (error) {
      throw unavailable(error)
    } finally {
      await session.close()
    }
  }

  async write(statements: readonly Statement[]): Promise<boolean> {
    const session = this.#driver.session()
    try {
      if (!this.#constrained) for (const text of constraintTexts()) await session.run(text)
      this.#constrained = true
      return await session.executeWrite(
        async (transaction) => {
          for (const statement of statements) {
            if (isIdle(statement)) continue
            const rows = await run(transaction, statement.text, statement.parameters)
            if (statement.mustMatch === true && rows.length === 0) throw new NothingMatched()
          }
          return true
        },
        { timeout: WRITE_DEADLINE_MS },
      )
    } catch (error) {
      if (error instanceof NothingMatched) return false
      throw unavailable(error)
    } finally {
      await session.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#driver.close()
  }
}

/** Takes a transaction back; the driver tries again only after errors of the server. */
class NothingMatched extends Error {}

async function run<T extends Row>(transaction: ManagedTransaction, text: string, parameters: Parameters): Promise<T[]> {
  const { records } = await transaction.run(text, withIntegers(parameters))
  return records.map((record) => record.toObject() as T)
}

/** The driver sends every number as a float, which LIMIT refuses and which would be another value than Ladybug's. */
function withIntegers(value: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value), (_key, item: unknown) => (typeof item === 'number' ? neo4j.int(item) : item)) as Record<string, unknown>
}

/** The driver wraps a plain reason in advice for its own users. */
function unavailable(error: unknown): GraphUnavailable {
  const message = error instanceof Error ? error.message : String(error)
  const reason = /Caused by: (.*)$/s.exec(message)?.[1] ?? (/No routing servers available/.test(message) ? 'no server answers there' : message)
  return new GraphUnavailable(`Neo4j: ${reason}`, { cause: error })
}
