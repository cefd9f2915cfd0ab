import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { namedModel, SHIPPED } from '../subgraphs/summary/models.ts';
import { Summarizer } from '../subgraphs/summary/summarizer.ts';
import { T5 } from '../subgraphs/summary/t5.ts';
import { post } from '../test/evaluation/chat/client.ts';
import { makeQuestions, startShop } from '../test/evaluation/chat/shop.ts';
import { quantile } from './quantile.ts';

/**
 * `npm run bench:summary`: how long a transcript of 400 tokens takes on one core; and how much longer a query of the catalogue takes at
 * the 99th percentile while summaries are written. Queries come at a fixed rate, so that slow ones do not hide behind each other.
 */
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    rate: { type: 'string', default: '100' },
    summaries: { type: 'string', default: '20' },
    model: { type: 'string', default: SHIPPED },
  },
});
const TOKENS = 400;
const ROUNDS = 3;
const QUERY = '{ products(first: 20) { edges { node { id name price { amount } } } } }';
const SUMMARIZE = 'mutation ($input: SummarizeInput!) { summarizeConversation(input: $input) { id } }';

const SAID = [
  ['Customer', 'Hello, my Moonlit Lamp from order HM-10293 arrived broken, the glass is in pieces all over the box.'],
  ['Agent', 'I am very sorry to hear that. Let me have a look at your order, one moment please.'],
  ['Customer', 'Sure. It was a present for my sister, her birthday is on Saturday, so I am in a hurry.'],
  ['Agent', 'I understand. Was the box itself damaged when the courier gave it to you, or only what is inside?'],
  ['Customer', 'The box looked fine from outside, but there was hardly any padding in it.'],
] as const;
const ENDING = { speaker: 'Agent', text: 'I have sent you a replacement, it will be there by Friday.' };

async function main(resources: AsyncDisposableStack): Promise<void> {
  const model = namedModel(options.model, loadConfig());
  // The gateway reads it from the environment.
  process.env.SUMMARY_MODEL = model;
  const t5 = await T5.load(model);
  const transcript: { speaker: string; text: string }[] = [];
  const tokens = () => t5.encode(transcript.map(({ speaker, text }) => `${speaker}: ${text}`).join('\n')).length;
  for (let n = 0; tokens() < TOKENS - 20; n++) {
    const [speaker, text] = SAID[n % SAID.length] as (typeof SAID)[number];
    transcript.push({ speaker, text });
  }
  transcript.push(ENDING);
  const counted = tokens();
  await t5.dispose();
  const oneCore = await onOneCore(model, transcript);

  const set = await makeQuestions({ split: 'dev', products: 600, seed: 3 });
  const shop = await startShop(set, resources, ['catalog', 'chat', 'summary']);
  const token = await shop.token('lead', 'support');
  const summarize = () => post(shop.url, token, SUMMARIZE, { input: { transcript } });
  const query = () => post(shop.url, token, QUERY, {});
  await summarize();
  await atRate(query, 3);
  const quiet: number[] = [];
  const busy: number[] = [];
  let written = 0;
  for (let round = 0; round < ROUNDS; round++) {
    quiet.push(...(await atRate(query, Number(options.seconds) / ROUNDS)));
    let on = true;
    const writers = Array.from({ length: Number(options.summaries) }, async () => {
      while (on) {
        await summarize();
        written++;
      }
    });
    await sleep(200);
    busy.push(...(await atRate(query, Number(options.seconds) / ROUNDS)));
    on = false;
    await Promise.all(writers);
  }
  const result = {
    tokens: counted,
    msOnOneCore: Math.round(oneCore),
    quietMs: { p50: quantile(quiet, 0.5), p99: quantile(quiet, 0.99) },
    busyMs: { p50: quantile(busy, 0.5), p99: quantile(busy, 0.99) },
    p99Ratio: Math.round((quantile(busy, 0.99) / quantile(quiet, 0.99)) * 100) / 100,
    summaries: written,
  };
  console.log(`a transcript of ${result.tokens} tokens:  ${result.msOnOneCore} ms of one core`);
  console.log(`a query of the catalogue:      p50 ${result.quietMs.p50} ms, p99 ${result.quietMs.p99} ms`);
  console.log(
    `while ${options.summaries} summaries run:       p50 ${result.busyMs.p50} ms, p99 ${result.busyMs.p99} ms (${written} written)`,
  );
  console.log(JSON.stringify(result));
}

/** CPU time of one summary, median of several: the model computes on one thread. */
async function onOneCore(model: string, transcript: readonly { speaker: string; text: string }[]): Promise<number> {
  const summarizer = await Summarizer.load(model);
  const times: number[] = [];
  for (let n = 0; n < 12; n++) {
    const before = process.cpuUsage();
    await summarizer.summarize(transcript);
    const { user, system } = process.cpuUsage(before);
    if (n > 1) times.push((user + system) / 1_000);
  }
  await summarizer.dispose();
  return quantile(times, 0.5);
}

/** Asks at the rate, whether answers come or not. @returns ms of each answer */
async function atRate(ask: () => Promise<unknown>, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const asked: Promise<void>[] = [];
  const since = performance.now();
  const gap = 1_000 / Number(options.rate);
  for (let n = 0; n < seconds * Number(options.rate); n++) {
    await sleep(Math.max(0, since + n * gap - performance.now()));
    const begun = performance.now();
    asked.push(ask().then(() => void times.push(performance.now() - begun)));
  }
  await Promise.all(asked);
  return times;
}

const resources = new AsyncDisposableStack();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void resources.disposeAsync().then(() => process.exit(1)));
try {
  await main(resources);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await resources.disposeAsync();
}
