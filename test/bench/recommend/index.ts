import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { quantile } from '../../../scripts/quantile.ts';
import { python, root } from '../../../scripts/stack.ts';
import { spawnLeashed } from '../../../subgraphs/kit/leash.ts';
import { parseLine } from '../../../subgraphs/pipeline/protocol.ts';
import type { HistoryItem } from '../../../subgraphs/recommendation/features.ts';
import { Ranker } from '../../../subgraphs/recommendation/ranker.ts';
import { type Usage, watch } from '../spark/measure.ts';

/**
 * Trains the recommender of a large shop and asks it, at a steady rate, whom it would recommend what.
 *   --interactions 5000000   pairs of user and product
 *   --products 50000
 *   --rate 100               questions a second; they come on time, whatever has become of those before
 *   --seconds 20
 */
const { values: options } = parseArgs({
  options: {
    interactions: { type: 'string', default: '5000000' },
    products: { type: 'string', default: '50000' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
  },
});
const HISTORY = 25;
const WARM_UP = 50;

const folder = await mkdtemp(path.join(tmpdir(), 'hashira-bench-'));
try {
  const cpus = os.cpus();
  console.log(
    `${new Date().toISOString()} · ${cpus.length} × ${cpus[0]?.model} · ${Math.round(os.totalmem() / 2 ** 30)} GiB`,
  );
  const size = ['--interactions', options.interactions, '--products', options.products];
  await run([path.join(root, 'test/bench/recommend/shop.py'), '--out', path.join(folder, 'data'), ...size]);
  await copyFile(path.join(root, 'ml/params.yaml'), path.join(folder, 'params.yaml'));
  const { seconds, cpuSeconds, peakBytes } = await run(['-m', 'recommender.train']);
  console.log(
    `training: ${seconds.toFixed(0)} s (${cpuSeconds.toFixed(0)} s of CPU), ${Math.round(peakBytes / 2 ** 20)} MiB at most`,
  );
  const ranker = await Ranker.load(path.join(folder, 'out/recommender/bundle'));
  const served = await serve(ranker);
  console.log(
    `serving: ${options.rate} questions/s, median ${served.median} ms, p95 ${served.p95} ms, ` +
      `${served.cpuMs.toFixed(1)} ms of CPU and ${served.candidates.toFixed(0)} candidates each`,
  );
  await ranker.dispose();
  console.log(JSON.stringify({ training: { seconds, cpuSeconds, peakBytes }, serving: served }));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function run(command: string[]): Promise<Usage> {
  let [stage, since] = ['start', performance.now()];
  let last: string[] = [];
  const child = spawnLeashed(python(), command, {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: path.join(root, 'ml') },
    onLine: (text) => {
      last = [...last.slice(-20), text];
      const line = parseLine(text);
      if (line.type !== 'progress' || !line.stage || line.stage === stage) return;
      console.log(`  ${stage}: ${((performance.now() - since) / 1_000).toFixed(0)} s`);
      [stage, since] = [line.stage, performance.now()];
    },
  });
  const watching = watch((pid) => pid === child.pid, folder);
  const { code } = await child.exited;
  const usage = watching.stop();
  if (code !== 0) throw new Error(`${command.join(' ')} failed:\n${last.join('\n')}`);
  return usage;
}

async function serve(ranker: Ranker) {
  const products = Number(options.products);
  for (let asked = 0; asked < WARM_UP; asked++)
    await ranker.rank([{ history: history(asked, products), categories: null }]);
  const [rate, count] = [Number(options.rate), Number(options.rate) * Number(options.seconds)];
  const latencies: number[] = [];
  let candidates = 0;
  const before = process.cpuUsage();
  const start = performance.now();
  const asked = Array.from({ length: count }, async (_, number) => {
    const due = (number * 1_000) / rate;
    await sleep(due);
    const [list] = await ranker.rank([{ history: history(WARM_UP + number, products), categories: null }]);
    latencies.push(performance.now() - start - due);
    candidates += list?.length ?? 0;
  });
  await Promise.all(asked);
  const { user, system } = process.cpuUsage(before);
  return {
    median: quantile(latencies, 0.5),
    p95: quantile(latencies, 0.95),
    cpuMs: (user + system) / 1_000 / count,
    candidates: candidates / count,
  };
}

/** What somebody has looked at lately, another one for each number. */
function history(number: number, products: number): HistoryItem[] {
  let state = number + 1;
  const next = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  return Array.from({ length: HISTORY }, () => ({
    productId: `p${String(next(products)).padStart(6, '0')}`,
    purchases: next(10) === 0 ? 1 : 0,
    weight: 1,
    day: 20_700 + next(100),
  }));
}
