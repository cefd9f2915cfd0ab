import { rmSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { LocalBench, type Run } from './local.ts';
import { growth, type Measured, table } from './report.ts';
import { onYarn } from './yarn.ts';

/**
 * Generates and prepares shops of growing size with Spark in one process, once on YARN, and prepares them with DuckDB too.
 *   --sizes 1,10,50   millions of events on local[*]; 0: none
 *   --yarn 1          millions of events on YARN, HDFS and MinIO (npm run services); 0: not
 *   --memory 3GB      what DuckDB may use; Spark has a heap of 2 GB besides its Python processes
 *   --folder DIR      where the data goes meanwhile; it is removed
 */
const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1,10,50' },
    yarn: { type: 'string', default: '1' },
    memory: { type: 'string', default: '3GB' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const MILLION = 1_000_000;
/** Lake, dataset, DuckDB's and what lies in scratch folders meanwhile. */
const BYTES_PER_EVENT = 600;

const folder = await mkdtemp(path.join(options.folder, 'hashira-bench-'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    // What runs dies with us, but what it has written would stay.
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  });
}
const measured: Measured[] = [];
const remember = (job: Measured['job'], where: Measured['where'], events: number, run: Run) => {
  const { stages, result: _, ...figures } = run;
  measured.push({ job, where, events, ...figures });
  const told = stages.map(([stage, time]) => `${stage} ${time.toFixed(0)} s`).join(', ');
  console.log(`  ${where}: ${job} ${figures.seconds.toFixed(0)} s${told ? ` (${told})` : ''}`);
};

async function enoughSpace(events: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  const enough = bavail * bsize > events * BYTES_PER_EVENT;
  if (!enough) console.log(`  left out: it needs about ${Math.ceil((events * BYTES_PER_EVENT) / 2 ** 30)} GiB of disk`);
  return enough;
}

try {
  const cpus = os.cpus();
  console.log(
    `${new Date().toISOString()} · ${cpus.length} × ${cpus[0]?.model} · ${Math.round(os.totalmem() / 2 ** 30)} GiB`,
  );
  let compared: { rows: number; different: number } | undefined;
  const sizes = options.sizes.split(',').map((size) => Number(size) * MILLION);
  for (const events of sizes.filter((size) => size > 0)) {
    console.log(`\n${events / MILLION} million events`);
    if (!(await enoughSpace(events))) continue;
    const place = await mkdtemp(path.join(folder, 'local-'));
    const bench = new LocalBench(events, place, options.memory);
    remember('generate', 'Spark local[*]', events, await bench.generate());
    const prepared = await bench.prepare();
    remember('prepare', 'Spark local[*]', events, prepared);
    remember('prepare', 'DuckDB', events, await bench.prepareByDuckdb());
    // Once is enough to know that both do the same work.
    if (!compared) {
      compared = await bench.compare(prepared.result.dataVersion);
      console.log(`  ${compared.rows} rows of Spark and DuckDB compared, ${compared.different} differ`);
    }
    await rm(place, { recursive: true });
  }
  const events = Number(options.yarn) * MILLION;
  if (events > 0) {
    console.log(`\n${options.yarn} million events on YARN`);
    if (await enoughSpace(events)) {
      const { generate, prepare } = await onYarn(events, folder);
      remember('generate', 'YARN', events, generate);
      remember('prepare', 'YARN', events, prepare);
    }
  }
  console.log(`\n${table(measured)}\n\n${growth(measured)}\n`);
  console.log(JSON.stringify({ measured, compared }));
  if (compared?.different) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
