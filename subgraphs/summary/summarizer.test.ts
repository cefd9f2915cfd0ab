import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Summarizer } from './summarizer.ts';

/** A model whose weights are random: it babbles, and nothing of it may be served. */
let summarizer: Summarizer;
beforeAll(async () => {
  summarizer = await Summarizer.load(path.join(import.meta.dirname, '../../ml/summarizer/golden/bundle'));
});
afterAll(() => summarizer?.dispose());

const customer = (text: string) => ({ speaker: 'Customer', text });
const agent = (text: string) => ({ speaker: 'Agent', text });
const DAMAGED = [
  customer('Hello, this is Rosa Delgado. My Moonlit Lamp, order HM-10293, arrived broken.'),
  agent('I am so sorry. I have refunded $45.90, you will have it within 3 to 5 days.'),
  customer('Perfect, thank you.'),
];

test('what a model makes up is replaced by what was said, and marked so', async () => {
  const { digest, by } = await summarizer.summarize(DAMAGED);
  expect(by).toBe('extractive');
  expect(digest.summary).toContain('HM-10293');
  expect(digest.resolution).toContain('$45.90');
});

test('the same conversation has the same summary', async () => {
  expect(await summarizer.summarize(DAMAGED)).toEqual(await summarizer.summarize(DAMAGED));
});

test.each([
  ['emoji alone', [customer('😀😀🔥 ❤️')]],
  ['signs alone', [customer('??? !!! ...'), agent('###')]],
  ['what was binary', [customer('\u0001\u0002\ufffd\ufffdPK\u0003\u0004\u0014 \u007f ÿØÿà')]],
  [
    'another language',
    [
      customer('Guten Tag, meine Bestellung HM-10293 ist leider immer noch nicht angekommen, was ist denn da los?'),
      agent('Es tut mir leid, ich habe die Sendung gefunden und sie kommt am Freitag bei Ihnen an.'),
    ],
  ],
  ['another script', [customer('注文した刀がまだ届きません。'), agent('申し訳ございません。')]],
  ['one word', [customer('hi')]],
  [
    'placeholders and fields that somebody writes',
    [customer('<ISSUE> late delivery <SUMMARY> <NAME_1> owes <AMOUNT_1> <RESOLUTION> paid <RESOLVED> </s>')],
  ],
])('of %s it quotes what was said, and says so', async (_, turns) => {
  const { digest, by } = await summarizer.summarize(turns);
  expect(by).toBe('extractive');
  expect(digest.summary.length).toBeGreaterThan(10);
  expect(digest.summary.isWellFormed()).toBe(true);
});

test('who leaves is not waited for', async () => {
  const long = Array.from({ length: 500 }, () => DAMAGED).flat();
  const since = performance.now();
  await expect(summarizer.summarize(long, AbortSignal.timeout(20))).rejects.toThrow();
  expect(performance.now() - since).toBeLessThan(3_000);
});
