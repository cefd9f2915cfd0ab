import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { loadSummarizer } from '../subgraphs/summary/load.ts';
import { namedModel, SHIPPED } from '../subgraphs/summary/models.ts';
import { python, root } from './stack.ts';

/**
 * `npm run evaluate:summary`: how true the summaries are that a model writes of conversations whose words, names and products training
 * never saw, beside simple baselines; the last line is JSON. test/evaluation/summary/README.md
 */

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: SHIPPED },
    split: { type: 'string', default: 'test' },
    count: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    tweetsumm: { type: 'string' },
    failures: { type: 'boolean', default: false },
  },
});

const SPLITS: Record<string, string> = {
  test: 'test/evaluation/summary/held_out.txt',
  development: 'ml/summarizer/judging/development.txt',
};

const run = promisify(execFile);
const judge = async (...args: string[]): Promise<string> => {
  const { stdout } = await run(python(), ['test/evaluation/summary/judge.py', ...args], {
    cwd: root,
    env: { ...process.env, PYTHONPATH: path.join(root, 'ml') },
    maxBuffer: 1 << 28,
  });
  return stdout;
};

const folder = await mkdtemp(path.join(tmpdir(), 'hashira-summaries-'));
try {
  const model = namedModel(options.model, loadConfig());
  const wordings = SPLITS[options.split];
  if (!wordings) throw new Error(`There is no split "${options.split}"; there are: ${Object.keys(SPLITS).join(', ')}.`);
  const made = options.tweetsumm
    ? await judge('tweetsumm', '--file', path.resolve(options.tweetsumm))
    : await judge('make', '--wordings', wordings, '--count', options.count, '--seed', options.seed);
  const conversations = made.trimEnd().split('\n');
  console.log(`Summarizing ${conversations.length} conversations …\n`);
  const summarizer = await loadSummarizer(model);
  const summaries: string[] = [];
  for (const line of conversations) {
    const { turns } = JSON.parse(line);
    const before = process.cpuUsage();
    const { digest, by } = await summarizer.summarize(turns);
    const { user, system } = process.cpuUsage(before);
    summaries.push(JSON.stringify({ ...digest, by, ms: (user + system) / 1_000 }));
  }
  await summarizer.dispose();
  const files = { conversations: path.join(folder, 'conversations'), summaries: path.join(folder, 'summaries') };
  await writeFile(files.conversations, conversations.join('\n'));
  await writeFile(files.summaries, summaries.join('\n'));
  const args = ['--conversations', files.conversations, '--summaries', files.summaries];
  process.stdout.write(await judge('score', ...args, ...(options.failures ? ['--failures'] : [])));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
