import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { spawnLeashed } from '../subgraphs/kit/leash.ts';
import { childEnvironment } from '../subgraphs/pipeline/kinds/python.ts';
import { python } from './stack.ts';

/**
 * Prints how good the last trained models are beside their baselines and the ceiling; the last line is JSON. With `--protocol`
 * trains and judges the recommender anew on another split of the same data: random:SHARE, last or time.
 */
const config = loadConfig();
const workspace = path.join(config.HASHIRA_DATA, 'train');
if (!existsSync(path.join(workspace, 'params.yaml'))) {
  console.error('No models have been trained in this data folder yet. `npm start` trains them.');
  process.exit(1);
}
const env = { ...childEnvironment(config), PYTHONPATH: workspace };
const args = process.argv.slice(2);
const what = args.length > 0 ? ['recommender.protocols', ...args] : ['common.evaluate', '--print'];
let failure: { message: string } | undefined;
const child = spawnLeashed(python(), ['-m', ...what], {
  cwd: workspace,
  env,
  onLine: (line) => {
    if (line.startsWith('@error ')) failure = JSON.parse(line.slice('@error '.length));
    else if (!line.startsWith('@progress ')) console.log(line);
  },
});
const { code } = await child.exited;
if (failure) console.error(failure.message);
process.exit(code ?? 1);
