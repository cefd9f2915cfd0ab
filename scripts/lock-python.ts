import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { root } from './stack.ts';

/** Locks what Python needs for every platform, with hashes and without the address of any registry. */
const own = path.join(root, '.uv/bin/uv');
const flags = ['--universal', '--python-version', '3.11', '--generate-hashes', '--no-emit-index-url', '--upgrade'];
const lock = (name: string, ...more: string[]) =>
  execFileSync(
    existsSync(own) ? own : 'uv',
    ['pip', 'compile', ...flags, '--quiet', '--no-header', `ml/${name}.in`, ...more, '-o', `ml/${name}.lock`],
    { cwd: root, stdio: 'inherit' },
  );
lock('requirements');
// Both go into one environment.
lock('training', '-c', 'ml/requirements.lock');
