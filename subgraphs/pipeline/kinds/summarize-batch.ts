import { HashiraError } from '../../kit/errors.ts';
import { createLogger } from '../../kit/log.ts';
import { createRegistry } from '../../kit/registry.ts';
import { SummaryModels } from '../../summary/models.ts';
import { countUnsummarized, readChat, unsummarizedChats } from '../../summary/store.ts';
import { summarizeChat } from '../../summary/summaries.ts';
import { JobFailure } from '../jobs.ts';
import { isOutage, outlastingOutages } from '../patience.ts';
import type { JobRun, Kind } from '../run.ts';

const BLOCK = 100;

/**
 * Summarizes the chats that are finished and have no summary of all that was said. Each is stored by itself, so that the next run
 * goes on where one was interrupted. Result: {summarized, extractive, failed}.
 */
export const summarizeBatch: Kind = async (run) => {
  const { config, signal } = run;
  run.progress(0, 'load the model');
  const log = createLogger('summaries', config.LOG_LEVEL);
  const models = await SummaryModels.start({ config, registry: createRegistry(config), log });
  try {
    await models.refresh();
    signal.throwIfAborted();
    return { ...(await all(run, models)) };
  } finally {
    await models.stop();
  }
};

async function all(run: JobRun, models: SummaryModels) {
  const { database, config, signal } = run;
  const idle = config.SUMMARY_IDLE_MINUTES;
  const done = { summarized: 0, extractive: 0, failed: 0 };
  const total = await outlastingOutages(() => countUnsummarized(database, idle), { signal });
  for (let after: string | null = '0'; after !== null; ) {
    const from: string = after;
    const chats = await outlastingOutages(() => unsummarizedChats(database, idle, BLOCK, from), { signal });
    for (const { id } of chats) {
      const seen = done.summarized + done.failed;
      run.progress(Math.min(seen / Math.max(total, 1), 1), `summarize chats (${seen} of ${total})`);
      const author = await outlastingOutages(() => one(run, models, id), { signal });
      if (author === null) done.failed++;
      else {
        done.summarized++;
        if (author === 'extractive') done.extractive++;
      }
    }
    after = chats.length < BLOCK ? null : (chats.at(-1)?.through ?? null);
  }
  run.log(`${done.summarized} chats summarized, ${done.extractive} of them by quotes, ${done.failed} failed`);
  return done;
}

/** Who wrote the summary of one chat; null when it failed, which is no reason to leave the others. */
async function one(run: JobRun, models: SummaryModels, id: string): Promise<string | null> {
  const { database, signal } = run;
  signal.throwIfAborted();
  try {
    const chat = await readChat(database, id);
    return chat ? (await summarizeChat({ database, models }, chat, null, signal)).modelName : null;
  } catch (error) {
    if (signal.aborted || isOutage(error)) throw error;
    if (error instanceof HashiraError && error.code === 'SUMMARY_MODEL_UNAVAILABLE') {
      throw new JobFailure(error.code, error.message, { cause: error });
    }
    run.log(`chat ${id}: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
