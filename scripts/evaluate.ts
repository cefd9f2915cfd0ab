import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { childEnvironment } from '../subgraphs/pipeline/kinds/python.ts';
import { python } from './stack.ts';

/** Prints how good the last trained models are beside their baselines and the ceiling; the last line is JSON. */
const config = loadConfig();
const workspace = path.join(config.HASHIRA_DATA, 'train');
if (!existsSync(path.join(workspace, 'params.yaml'))) {
  console.error('No models have been trained in this data folder yet. `npm start` trains them.');
  process.exit(1);
}
const env = { ...childEnvironment(config), PYTHONPATH: workspace };
const child = spawn(python(), ['-m', 'common.evaluate', '--print'], { cwd: workspace, env, stdio: 'inherit' });
child.once('exit', (code) => process.exit(code ?? 1));
