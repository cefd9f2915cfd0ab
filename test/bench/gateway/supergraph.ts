import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { shop } from './shop.ts';

/** The shop's supergraph, with the address of each subgraph. */
export function composeShop(url: (name: string) => string): string {
  const services = shop.map(({ name, sdl }) => ({ name, url: url(name), typeDefs: parse(sdl) }));
  const { supergraphSdl, errors } = composeServices(services);
  if (!supergraphSdl) throw new Error(`The benchmark's subgraphs do not compose: ${errors}`);
  return supergraphSdl;
}
