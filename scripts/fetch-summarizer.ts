import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { hubFolder } from '../subgraphs/summary/models.ts';
import { python, root } from './stack.ts';

/** `npm run fetch:summarizer -- google/flan-t5-base`: brings a T5 of the model hub for SUMMARY_MODEL, as ONNX in int8. */
const [name] = process.argv.slice(2);
if (!name) {
  console.error('Usage: npm run fetch:summarizer -- NAME     for example google/flan-t5-base, or a folder');
  process.exit(2);
}
const out = hubFolder(name, loadConfig());
const { status } = spawnSync(python(), ['-m', 'summarizer.fetch', name, out], {
  cwd: root,
  env: { ...process.env, PYTHONPATH: path.join(root, 'ml') },
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (status !== 0) process.exit(status ?? 1);
console.log(`Start with SUMMARY_MODEL=${name} to use it.`);
