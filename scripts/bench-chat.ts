import { parseArgs } from 'node:util';
import { Shopper } from '../test/evaluation/chat/client.ts';
import { makeQuestions, startShop } from '../test/evaluation/chat/shop.ts';
import { FakeGemini } from '../test/support/fake-gemini.ts';
import { quantile } from './quantile.ts';

/**
 * `npm run bench:chat`: how long a shopper waits for the first words, in a shop of 10,000 products: of extracts, through the gateway's
 * WebSocket; and, with an imitation of Gemini, our share of it until the model is asked. One question after the other.
 */
const { values: options } = parseArgs({
  options: { products: { type: 'string', default: '10000' }, questions: { type: 'string', default: '200' } },
});

async function main(resources: AsyncDisposableStack): Promise<void> {
  const set = await makeQuestions({ split: 'dev', products: Number(options.products), seed: 3 });
  const single = set.questions.filter(({ turns }) => turns.length === 1);
  const step = Math.max(1, Math.floor(single.length / Number(options.questions)));
  const questions = single.filter((_, place) => place % step === 0).slice(0, Number(options.questions));
  console.log(`Indexing ${set.products.length} products …`);
  const shop = await startShop(set, resources);
  const token = await shop.token('shopper', 'customer');

  const shopper = new Shopper(shop.url, token);
  resources.defer(() => shopper.close());
  const first: number[] = [];
  // The first questions warm caches that a shop has warm.
  for (const [place, question] of questions.entries()) {
    const { firstMs } = await shopper.ask(question, { streamed: true });
    if (place >= WARM_UP && firstMs !== null) first.push(firstMs);
  }

  const gemini = await FakeGemini.start();
  resources.defer(() => gemini.stop());
  const url = await shop.again({ GEMINI_API_KEY: 'any', GEMINI_BASE_URL: gemini.url });
  const asker = new Shopper(url, token);
  resources.defer(() => asker.close());
  const share: number[] = [];
  for (const [place, question] of questions.entries()) {
    const since = Date.now();
    const asked = gemini.requests.length;
    await asker.ask({ ...question, id: `gemini-${question.id}` }, { streamed: true });
    const request = gemini.requests[asked];
    if (place >= WARM_UP && request) share.push(request.at - since);
  }

  const result = {
    products: set.products.length,
    firstExtractMs: { p50: quantile(first, 0.5), p95: quantile(first, 0.95), answers: first.length },
    untilGeminiIsAskedMs: { p50: quantile(share, 0.5), p95: quantile(share, 0.95), answers: share.length },
  };
  console.log(
    `first words of an extract:   p50 ${result.firstExtractMs.p50} ms, p95 ${result.firstExtractMs.p95} ms (${first.length} answers)`,
  );
  console.log(
    `until Gemini is asked:       p50 ${result.untilGeminiIsAskedMs.p50} ms, p95 ${result.untilGeminiIsAskedMs.p95} ms (${share.length} answers)`,
  );
  console.log(JSON.stringify(result));
}

const WARM_UP = 20;

const resources = new AsyncDisposableStack();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void resources.disposeAsync().then(() => process.exit(1)));
try {
  await main(resources);
} finally {
  await resources.disposeAsync();
}
