import { parseArgs } from 'node:util';
import { endWith, runInstance, startGateway } from './instance.ts';
import { startBackends, startWorker } from './stack.ts';

/** `npm start`: brings up everything on this machine, and the first time runs the main job. */
const { values: options } = parseArgs({ options: { fresh: { type: 'boolean', default: false } } });

const made = ['postgres', 'mlflow', 'chroma', 'lake', 'store', 'train', 'models', 'logs', 'tokens.json'];

await runInstance(
  (started) => [
    {
      title: 'Database, model registry and vectors',
      run: async () => {
        const { config, services } = started;
        const backends = await startBackends(config);
        services.push(...backends.services);
        started.env = { ...backends.env, HASHIRA_DATA: config.HASHIRA_DATA };
        started.publish(backends.env);
      },
    },
    {
      title: 'Gateway',
      run: async () => {
        const { config, services, env } = started;
        services.push(await startGateway(config, env));
        services.push(startWorker(config, env));
      },
    },
  ],
  { fresh: options.fresh, made: [...made, 'development-key.json'] },
).catch(endWith);
