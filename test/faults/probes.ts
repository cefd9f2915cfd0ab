import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from '../support/instance.ts';

export type Probe = 'catalogue' | 'search' | 'popular' | 'recommendations' | 'forecast' | 'assistant';

type Role = 'customer' | 'analyst' | undefined;

/** One question for each part of the graph. */
const PROBES: Record<Probe, { role?: Role; query: () => string }> = {
  catalogue: { query: () => '{ categories { id name } }' },
  search: { query: () => '{ search(query: "katana", first: 3) { edges { node { name } } } }' },
  popular: { query: () => '{ popular(first: 3) { rank product { name } } }' },
  recommendations: {
    role: 'customer',
    query: () => '{ me { recommendations(first: 3) { edges { node { product { name } } } } } }',
  },
  forecast: { role: 'analyst', query: () => '{ salesForecast(horizon: 7) { points { units } } }' },
  assistant: {
    role: 'customer',
    query: () =>
      `mutation { sendMessage(input: { clientMessageId: "${randomUUID()}", text: "What is your lightest katana?" }) { text } }`,
  },
};
export const ALL = Object.keys(PROBES) as Probe[];

/** How often each probe was answered, and with what it failed. */
export type Answers = Record<Probe, { answered: number; failures: string[] }>;

export const failuresOf = (answers: Answers, probes: readonly Probe[]): string[] =>
  probes.flatMap((probe) => answers[probe].failures.map((failure) => `${probe}: ${failure}`));

async function ask(instance: Instance, probe: Probe): Promise<string | null> {
  const { role, query } = PROBES[probe];
  try {
    const { errors } = await instance.ask(query(), role);
    return errors?.[0] ? `${errors[0].extensions.code}: ${errors[0].message}` : null;
  } catch (error) {
    return `no answer: ${(error as Error).message}`;
  }
}

/** Asks all in turn, a round a second, until stopped. */
export function keepAsking(instance: Instance): AsyncDisposable & { stop(): Promise<Answers> } {
  const answers = Object.fromEntries(ALL.map((probe) => [probe, { answered: 0, failures: [] }])) as unknown as Answers;
  let stopped = false;
  const asking = (async () => {
    while (!stopped) {
      for (const probe of ALL) {
        const failure = await ask(instance, probe);
        if (failure === null) answers[probe].answered++;
        else answers[probe].failures.push(failure);
      }
      await sleep(1_000);
    }
  })();
  const stop = async () => {
    stopped = true;
    await asking;
    return answers;
  };
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}
