import { parseArgs } from 'node:util';
import { type Reply, Shopper } from '../test/evaluation/chat/client.ts';
import { judge, score } from '../test/evaluation/chat/judge.ts';
import { type Outcome, table, transcript } from '../test/evaluation/chat/report.ts';
import { makeQuestions, startShop } from '../test/evaluation/chat/shop.ts';

/** Asks the chat assistant of a shop of its own and prints how right it is; the last line is JSON. test/evaluation/chat/README.md */

/** These are asked by subscription, which also shows what is announced before the answer. */
const STREAMED = 'find';
const AT_ONCE = 4;

const { values: options } = parseArgs({
  options: {
    split: { type: 'string', default: 'test' },
    products: { type: 'string', default: '600' },
    seed: { type: 'string', default: '7' },
    kind: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    failures: { type: 'boolean', default: false },
  },
});

async function main(resources: AsyncDisposableStack): Promise<void> {
  const { split, kind } = options;
  const set = await makeQuestions({ split, products: Number(options.products), seed: Number(options.seed) });
  const questions = set.questions.filter((question) => !kind || question.kind === kind);
  if (questions.length === 0) throw new Error(`No question is of the kind "${kind}".`);
  console.log(`Starting a shop of ${set.products.length} products …`);
  const shop = await startShop(set, resources);
  const shopper = new Shopper(shop.url, await shop.token('shopper', 'customer'));
  resources.defer(() => shopper.close());

  console.log(`Asking ${questions.length} questions of the split "${split}" …\n`);
  const products = new Map(set.products.map((product) => [product.id, product]));
  const outcomes = await atOnce(questions, async (question): Promise<Outcome> => {
    const asked = await shopper.ask(question, { streamed: question.kind === STREAMED }).catch((error: Error) => error);
    const reply: Reply | null = asked instanceof Error ? null : asked;
    const verdict = judge(question, reply ?? { text: '', citations: [] }, products);
    if (asked instanceof Error) verdict.problems.push(`fails: ${asked.message}`);
    return { question, reply, verdict };
  });

  for (const outcome of outcomes)
    if (options.verbose || (options.failures && outcome.verdict.problems.length > 0))
      console.log(`${transcript(outcome)}\n`);
  for (const line of table(outcomes)) console.log(line);
  const models = new Set(outcomes.map(({ reply }) => reply?.model ?? 'none'));
  console.log(`\nAnswered by: ${[...models].join(', ')}`);
  console.log(JSON.stringify(score(outcomes)));
  if (outcomes.every(({ reply }) => !reply)) process.exitCode = 1;
}

/** The results in the order of the items, a few at a time. */
async function atOnce<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

const resources = new AsyncDisposableStack();
let ending: Promise<void> | undefined;
const end = () => {
  ending ??= resources.disposeAsync();
  return ending;
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void end().then(() => process.exit(1)));

try {
  await main(resources);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await end();
}
