import { composeServices } from '@apollo/composition';
import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { explain, wantsExplanation } from './explain.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';

function plan(query: string) {
  const { supergraphSdl, errors } = composeServices([
    {
      name: 'swords',
      typeDefs: parse(`${LINK} type Query { sword: Sword } type Sword @key(fields: "id") { id: ID! }`),
    },
    { name: 'reviews', typeDefs: parse(`${LINK} type Sword @key(fields: "id") { id: ID! stars: Int }`) },
  ]);
  if (!supergraphSdl) throw new Error(String(errors));
  const supergraph = Supergraph.build(supergraphSdl);
  return new QueryPlanner(supergraph).buildQueryPlan(operationFromDocument(supergraph.apiSchema(), parse(query)));
}

describe('the explanation of a query', () => {
  it('is its cost and its plan as a person reads it', () => {
    const { explain: explanation } = explain({ plan: plan('{ sword { stars } }'), cost: 4 });
    expect(explanation.cost).toBe(4);
    expect(explanation.plan).toMatch(
      /QueryPlan \{\s+Sequence \{\s+Fetch\(service: "swords"\)[\s\S]+Flatten\(path: "sword"\)/,
    );
  });

  it('is for admins who ask for it', () => {
    const who = (...scopes: string[]) => ({ subject: 'u-1', scopes });
    expect(wantsExplanation('1', who('admin'))).toBe(true);
    expect(wantsExplanation('1', who('analyst', 'support'))).toBe(false);
    expect(wantsExplanation('1', null)).toBe(false);
    expect(wantsExplanation(undefined, who('admin'))).toBe(false);
    expect(wantsExplanation('0', who('admin'))).toBe(false);
  });
});
