import { afterAll, beforeAll, expect, it } from 'vitest';
import { differences } from './compare.ts';
import { type Federated, federate } from './federated.ts';
import { type Generated, generate, type Vocabulary } from './generate.ts';
import { shop } from './shop.ts';
import { shrink } from './shrink.ts';
import { ask } from './support.ts';
import { monolithSchema } from './world.ts';

/** More or others: FEDERATION_QUERIES=5000 FEDERATION_SEED=7. */
const QUERIES = Number(process.env.FEDERATION_QUERIES ?? 300);
const SEED = Number(process.env.FEDERATION_SEED ?? 1);
/** Failing queries told of in full. */
const SHOWN = 3;

const vocabulary: Vocabulary = {
  id: ['p1', 'p2', 'p3', 'p4', 'a1', 'u2', 'r3', 'none'],
  isbn: ['i1', 'i2', 'none'],
  email: ['ann@x', 'cy@x', 'none'],
  country: ['DE', 'NO'],
  city: ['Bonn', 'Oslo'],
  text: ['n', 'e', 'Henry', ''],
  first: [0, 1, 2, 9],
  minStars: [0, 2, 4],
  amount: [5, 30, 5_000],
  name: ['a', 'Dune'],
  tag: ['old', 'fast'],
  Boolean: [true, false],
};

const monolith = monolithSchema(shop.monolith);
let gateway: Federated;
beforeAll(async () => {
  gateway = await federate(shop);
});
afterAll(() => gateway?.stop());

async function compare({ query, variables }: Generated): Promise<string[]> {
  const wanted = await ask(monolith, query, variables);
  try {
    return differences(await gateway.run(query, variables), wanted, query);
  } catch (error) {
    return [`the gateway threw ${error instanceof Error ? error.stack : error}`];
  }
}

it(`answers ${QUERIES} random queries as the monolith does`, async () => {
  const failed: { seed: number; generated: Generated }[] = [];
  let asked = 0;
  for (let seed = SEED; seed < SEED + QUERIES; seed++) {
    const generated = generate(monolith, vocabulary, seed);
    if (generated.query !== '{ __typename }') asked += 1;
    if ((await compare(generated)).length > 0) failed.push({ seed, generated });
  }
  const reports: string[] = [];
  for (const { seed, generated } of failed.slice(0, SHOWN)) reports.push(await report(seed, generated));
  if (failed.length > 0) {
    expect.fail(
      `${failed.length} of ${QUERIES} differ: ${failed.map(({ seed }) => seed).join(' ')}\n\n${reports.join('\n\n')}`,
    );
  }
  expect(asked, 'queries that could be made').toBeGreaterThan(QUERIES * 0.95);
});

async function report(seed: number, generated: Generated): Promise<string> {
  const fails = async (query: string) => (await compare({ ...generated, query })).length > 0;
  const query = await shrink(generated.query, monolith, fails);
  let plan: string;
  try {
    plan = gateway.plan(query);
  } catch (error) {
    plan = String(error);
  }
  const found = await compare({ ...generated, query });
  return [
    `FEDERATION_SEED=${seed} FEDERATION_QUERIES=1`,
    query,
    JSON.stringify(generated.variables),
    ...found,
    plan,
  ].join('\n');
}
