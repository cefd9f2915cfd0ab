import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../../../test/support/database.ts';
import type { Database } from '../../kit/database.ts';
import { createLogger } from '../../kit/log.ts';
import { countUnsummarized } from '../../summary/store.ts';
import { enqueue } from '../enqueue.ts';
import { isFinished, JobKind, JobStatus } from '../jobs.ts';
import { JobQueue } from '../queue.ts';
import { summarizeChats } from '../schedule.ts';
import { requestCancel } from '../store.ts';
import { testConfig, until } from '../test/shell.ts';
import { startWorker, type Worker } from '../work.ts';
import { kinds } from './index.ts';

const log = createLogger('test', 'silent');
// Its weights are random: what it writes never holds, and takes its time.
const config = testConfig({ SUMMARY_MODEL: path.join(import.meta.dirname, '../../../ml/summarizer/golden/bundle') });
let database: Database;
let queue: JobQueue;
let worker: Worker;

beforeAll(async () => {
  database = await createDatabase('catalog', 'chat', 'summary', 'pipeline');
  queue = await JobQueue.open(database.url, log, { worker: false });
  worker = await startWorker({ config, database, log, kinds });
});
afterAll(async () => {
  await worker?.stop();
  await queue?.stop();
  await database?.close();
});

async function chat(minutesAgo: number, ...texts: string[]): Promise<string> {
  const id = randomUUID();
  await database.query('INSERT INTO chat.conversations (id) VALUES ($1)', [id]);
  await say(id, minutesAgo, ...texts);
  return id;
}
async function say(id: string, minutesAgo: number, ...texts: string[]): Promise<void> {
  for (const [index, text] of texts.entries()) {
    await database.query(
      `INSERT INTO chat.messages (id, conversation_id, role, text, created_at)
       VALUES ($1, $2, $3, $4, now() - $5 * interval '1 minute')`,
      [randomUUID(), id, index % 2 ? 'ASSISTANT' : 'USER', text, minutesAgo],
    );
  }
}
const request = () => enqueue({ database, queue }, JobKind.SUMMARIZE_BATCH);
const batch = async () => until(database, (await request()).id, ({ status }) => isFinished(status), 30_000);
const summarized = async () =>
  (await database.query<{ id: string }>('SELECT conversation_id AS id FROM summary.summaries')).map(({ id }) => id);

test('summarizes each chat once it is finished, and again when it went on', { timeout: 60_000 }, async () => {
  const finished = await chat(60, 'My parcel HM-104 has not come.', 'I found it, it comes on Friday.');
  const open = await chat(1, 'Hello, I have a question about the lamp.');
  expect(await batch()).toMatchObject({
    status: JobStatus.SUCCEEDED,
    progress: 1,
    result: { summarized: 1, extractive: 1, failed: 0 },
  });
  expect(await summarized()).toEqual([finished]);
  expect((await batch()).result).toMatchObject({ summarized: 0 });

  await say(finished, 40, 'It still is not here, I want my money back.', 'I have refunded you in full.');
  await database.query("UPDATE chat.messages SET created_at = now() - interval '1 hour' WHERE conversation_id = $1", [
    open,
  ]);
  expect((await batch()).result).toMatchObject({ summarized: 2 });
  expect((await summarized()).sort()).toEqual([finished, open].sort());
});

test('is asked for by itself when there is something to do, and once', async () => {
  const batches = async () =>
    (await database.query("SELECT 1 FROM pipeline.jobs WHERE kind = 'SUMMARIZE_BATCH'")).length;
  const before = await batches();
  await summarizeChats(database, queue, 30);
  expect(await batches()).toBe(before);
  await worker.stop();
  await chat(60, 'Can I pay by invoice?');
  await summarizeChats(database, queue, 30);
  await summarizeChats(database, queue, 30);
  expect(await batches()).toBe(before + 1);
  worker = await startWorker({ config, database, log, kinds });
  await expect.poll(() => countUnsummarized(database, 30), { timeout: 20_000 }).toBe(0);
});

test('is cancelled in the middle, keeps what it has, and goes on the next time', { timeout: 90_000 }, async () => {
  const before = (await summarized()).length;
  const long = Array.from({ length: 40 }, (_, n) =>
    n % 2 ? 'I am still looking for it.' : 'My sword is late, where is it?',
  );
  for (let n = 0; n < 12; n++) await chat(60, ...long);
  const job = await request();
  await until(database, job.id, ({ progress }) => progress > 0.1, 30_000);
  await requestCancel(database, job.id);
  expect(await until(database, job.id, ({ status }) => isFinished(status))).toMatchObject({
    status: JobStatus.CANCELLED,
  });
  const kept = (await summarized()).length - before;
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(12);
  expect((await batch()).result).toMatchObject({ summarized: 12 - kept });
});
