import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { root } from './stack.ts';

/** Locks ml/requirements.in for every platform and Python, with hashes and without the address of any registry. */
const own = path.join(root, '.uv/bin/uv');
const flags = ['--universal', '--python-version', '3.11', '--generate-hashes', '--no-emit-index-url', '--upgrade'];
execFileSync(
  existsSync(own) ? own : 'uv',
  ['pip', 'compile', ...flags, '--quiet', '--no-header', 'ml/requirements.in', '-o', 'ml/requirements.lock'],
  { cwd: root, stdio: 'inherit' },
);
