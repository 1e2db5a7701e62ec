import { fingerprint } from '../../graph/model.ts'
import { Projector, type ProjectorParts } from '../../graph/projector.ts'
import { dump } from '../../graph/reading.ts'
import type { GraphSource } from '../../graph/source.ts'
import type { GraphStore } from '../../graph/store.ts'
import { capabilitiesOf, DRIVERS } from './registry.ts'

export function projectorOf(source: GraphSource, store: GraphStore, parts: Pick<ProjectorParts, 'abandonedAfterMs'> = {}): Projector {
  return new Projector({ source, store, capabilitiesOf, fingerprint: fingerprint(DRIVERS), log: () => undefined, ...parts })
}

/** Until there is nothing to do. */
export async function project(source: GraphSource, store: GraphStore): Promise<void> {
  const projector = projectorOf(source, store)
  while ((await projector.step(new AbortController().signal)) === 'worked');
}

/** Nodes with all their properties and relations, sorted: two graphs are equal when these are. */
export async function picture(store: GraphStore): Promise<{ readonly nodes: readonly string[]; readonly relations: readonly string[] }> {
  const { nodes, relations } = await dump(store)
  return {
    nodes: [...nodes.values()].map(({ properties }) => JSON.stringify(Object.entries(properties).sort())).sort(),
    relations: [...relations.keys()].sort(),
  }
}
