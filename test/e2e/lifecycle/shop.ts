import { setTimeout as sleep } from 'node:timers/promises';
import { composeServices } from '@apollo/composition';
import { RemoteSubgraph, typeDefsOf } from './remote-subgraph.ts';

/** Names of fields of which each supergraph knows one, so that it can be told which is served. */
export const VERSIONS = Array.from({ length: 31 }, (_, index) => `v${index}`);

/** Asks both subgraphs. */
export const QUERY = 'query Sword($id: ID!) { sword(id: $id) { name stars } }';
const swordsSdl = (versions: string[]) =>
  `type Query { sword(id: ID!): Sword slow(ms: Int!): String ${versions.map((version) => `${version}: Int`).join(' ')} }
   type Subscription { ticks: Int }
   type Sword @key(fields: "id") { id: ID! name: String }`;
const reviewsSdl = 'type Sword @key(fields: "id") { id: ID! stars: Int }';

export const swords = new RemoteSubgraph('swords', swordsSdl(VERSIONS), {
  Query: {
    sword: (_: unknown, { id }: { id: string }) => ({ id, name: `Sword ${id}` }),
    slow: (_: unknown, { ms }: { ms: number }) => sleep(ms, 'done'),
  },
  Subscription: {
    ticks: {
      subscribe: async function* () {
        for (let ticks = 0; ticks < 1_000; ticks++) {
          yield { ticks };
          await sleep(50);
        }
      },
    },
  },
});
export const reviews = new RemoteSubgraph('reviews', reviewsSdl, {
  Sword: { stars: ({ id }: { id: string }) => Number(id) % 6 },
});

/** The supergraph that knows one of the versions' fields. */
export function supergraph(version: string): string {
  const { supergraphSdl, errors } = composeServices([
    { name: swords.name, url: swords.url, typeDefs: typeDefsOf(swordsSdl([version])) },
    { name: reviews.name, url: reviews.url, typeDefs: typeDefsOf(reviewsSdl) },
  ]);
  if (!supergraphSdl) throw new Error(String(errors));
  return supergraphSdl;
}
