import { fileURLToPath } from 'node:url';
import { buildFederatedSchema } from '../kit/federation.ts';
import type { ModelKey } from '../kit/registry.ts';
import { runStandalone } from '../kit/standalone.ts';
import type { Subgraph } from '../kit/subgraph.ts';
import { createContext, type PipelineContext } from './context.ts';
import { JobProgress } from './job-progress.ts';
import { JobQueue } from './queue.ts';
import { JobResolver, ModelVersionResolver, PipelineResolver } from './resolvers.ts';

/** What is known of a model that is not from the registry: one that is shipped, or that the configuration names. */
const unregistered = ({ name, version }: ModelKey) => ({
  ...{ name, version, runId: '', dataVersion: '', production: false, metrics: {}, tags: {}, createdAt: null },
});

/** Jobs and models: data generation, preparation, training, promotion. `worker.ts` does the jobs. */
export const pipeline: Subgraph = {
  name: 'pipeline',
  schema: () =>
    buildFederatedSchema<PipelineContext>({
      resolvers: [PipelineResolver, JobResolver, ModelVersionResolver],
      references: {
        Job: ({ id }: { id: string }, { jobs }) => jobs.load(id),
        ModelVersion: (key: ModelKey, { modelVersions }) =>
          key.version === 0 ? unregistered(key) : modelVersions.load(key),
      },
    }),
  migrations: fileURLToPath(new URL('./migrations', import.meta.url)),
  start: async (services) => {
    const queue = await JobQueue.open(services.database.url, services.log, { worker: false });
    const progress = new JobProgress(services.database, services.log);
    return {
      context: (request) => createContext(services, queue, progress, request),
      stop: async () => {
        await progress.stop();
        await queue.stop(1_000);
      },
    };
  },
};

if (import.meta.main) await runStandalone(pipeline);
