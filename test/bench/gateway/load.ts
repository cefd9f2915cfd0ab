/** The load generator, a process of its own: queries that are all different, each answer checked. */
import { createHash } from 'node:crypto';
import { Pool } from 'undici';
import { serve } from './control.ts';
import { QUERY, USERS_PER_REQUEST } from './shop.ts';
import { checkSeats, closeSeats, openSeats, takeEvents } from './subscribers.ts';

export interface LoadOrder {
  url: string;
  connections: number;
  seconds: number;
  /** Requests per second whatever the answers do; none: each connection asks again once it is answered. */
  rate?: number;
  /** Number of the first request; each has its own entities. */
  first: number;
}

export interface LoadResult {
  answers: number;
  perSecond: number;
  p50: number;
  p99: number;
  /** Of the first CHECKED answers, one after the other in the order of their requests: shorter where fewer came. */
  hashes: string;
}

/** Answers of each round whose hashes are compared between the gateways; every other one is looked at more coarsely. */
const CHECKED = 200;

async function run({ url, connections, seconds, rate, first }: LoadOrder): Promise<LoadResult> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const latencies: number[] = [];
  const hashes: string[] = [];
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const one = async (index: number) => {
    const variables = { first: USERS_PER_REQUEST, after: (first + index) * USERS_PER_REQUEST };
    const body = JSON.stringify({ query: QUERY, variables });
    const since = performance.now();
    const response = await pool.request({ path: pathname, method: 'POST', headers, body });
    const text = (await response.body.text()).trim();
    latencies.push(performance.now() - since);
    const right = response.statusCode === 200 && text.startsWith('{"data":{"users":[{') && !text.includes('"errors"');
    if (!right) throw new Error(`A wrong answer (${response.statusCode}): ${text.slice(0, 300)}`);
    if (index < CHECKED) hashes[index] = createHash('sha256').update(text).digest('hex').slice(0, 12);
  };
  const started = performance.now();
  const end = started + seconds * 1000;
  try {
    await (rate ? openLoop(one, rate, rate * seconds) : closedLoop(one, connections, end));
  } finally {
    await pool.destroy();
  }
  const perSecond = latencies.length / ((performance.now() - started) / 1000);
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))] ?? 0;
  return { answers: latencies.length, perSecond, p50: quantile(0.5), p99: quantile(0.99), hashes: hashes.join('') };
}

async function closedLoop(one: (index: number) => Promise<void>, connections: number, end: number): Promise<void> {
  let next = 0;
  const connection = async () => {
    while (performance.now() < end) await one(next++);
  };
  await Promise.all(Array.from({ length: connections }, connection));
}

async function openLoop(one: (index: number) => Promise<void>, rate: number, count: number): Promise<void> {
  const started = performance.now();
  const pending: Promise<void>[] = [];
  for (let next = 0; next < count; next++) {
    const due = started + (next / rate) * 1000 - performance.now();
    if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    const answered = one(next);
    // Awaited below; a failure before that must not end the process.
    answered.catch(() => {});
    pending.push(answered);
  }
  await Promise.all(pending);
}

serve({ run, openSeats, checkSeats, takeEvents, closeSeats });
console.log('@ready');
