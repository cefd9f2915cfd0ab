import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { ratedAnswers } from '../subgraphs/chat/store.ts';
import { ConfigError, loadConfig } from '../subgraphs/kit/config.ts';
import { Database } from '../subgraphs/kit/database.ts';
import { HashiraError } from '../subgraphs/kit/errors.ts';
import { runningInstance } from './stack.ts';

/**
 * `npm run export:feedback [-- --out FILE]`: every rated answer of the assistant as one line of JSON, in the order in which they
 * were given: question, answer, citations, productId, model, feedback, reason, createdAt. Nothing tells who asked.
 * Reads DATABASE_URL, or the instance that runs on this data folder. Without --out it goes to stdout: `npm run --silent`.
 */
class ExportError extends Error {}

async function main(): Promise<void> {
  const out = outOf(process.argv.slice(2));
  const config = loadConfig();
  const url = config.DATABASE_URL ?? runningInstance(config.HASHIRA_DATA)?.env?.DATABASE_URL;
  if (!url) throw new ExportError('Nothing runs on this data folder. Start it with `npm start`, or set DATABASE_URL.');
  const database = new Database(url, { max: 1, name: 'export-feedback' });
  try {
    const rows = Readable.from(lines(database));
    if (out === undefined) return await pipeline(rows, process.stdout, { end: false });
    // The file appears when it is whole.
    const file = path.resolve(process.env.INIT_CWD ?? process.cwd(), out);
    const part = `${file}.${process.pid}.part`;
    try {
      await pipeline(rows, createWriteStream(part));
      await rename(part, file);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  } finally {
    await database.close();
  }
}

async function* lines(database: Database): AsyncGenerator<string, void, undefined> {
  for await (const answer of ratedAnswers(database)) yield `${JSON.stringify(answer)}\n`;
}

function outOf(args: string[]): string | undefined {
  try {
    return parseArgs({ args, options: { out: { type: 'string' } } }).values.out;
  } catch (error) {
    throw new ExportError(`${(error as Error).message}\nUsage: npm run export:feedback -- [--out FILE]`);
  }
}

main().catch((error: Error & { code?: string }) => {
  // Whoever reads has enough: `| head`.
  if (error.code === 'EPIPE') process.exit(0);
  const isExpected =
    error instanceof ExportError || error instanceof ConfigError || error instanceof HashiraError || 'syscall' in error;
  console.error(isExpected ? error.message : error);
  process.exit(1);
});
