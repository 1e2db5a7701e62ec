import { useEffect, useState } from 'react'
import { useClient } from 'urql'
import { graphql } from '../graphql.ts'
import type { LiveValue } from '../model/reading-batch.ts'

const REASON = graphql(`
  query ReadingReason($id: ID!) {
    node(id: $id) {
      ... on Parameter { id reading { quality reason } }
    }
  }
`)

/** Why a value is missing or doubtful. The live stream carries only the quality, so it is asked for when that turns. */
export function useReason(parameterId: string | undefined, quality: LiveValue['quality'] | undefined): string | undefined {
  const client = useClient()
  const [reason, setReason] = useState<string>()
  useEffect(() => {
    setReason(undefined)
    if (parameterId === undefined || quality === undefined || quality === 'GOOD') return undefined
    let wanted = true
    client
      .query(REASON, { id: parameterId }, { requestPolicy: 'network-only' })
      .toPromise()
      .then(({ data }) => {
        const node = data?.node
        if (wanted && node !== null && node !== undefined && 'reading' in node) setReason(node.reading?.reason ?? undefined)
      })
    return () => {
      wanted = false
    }
  }, [client, parameterId, quality])
  return reason
}
