import type { Result } from '../answer.types.ts';
import type { Metrics } from './metrics.ts';

/** The same results, counted; the end too, once, with its reason. */
export function observedStream(
  results: AsyncIterableIterator<Result>,
  metrics: Pick<Metrics, 'event' | 'streamEnded'>,
): AsyncIterableIterator<Result> {
  let ended = false;
  let failure: string | undefined;
  const end = (reason: string) => {
    if (!ended) metrics.streamEnded(reason);
    ended = true;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: async () => {
      try {
        const next = await results.next();
        if (next.done) end(failure ?? 'complete');
        else if (next.value.data === undefined) failure = codeOf(next.value);
        else metrics.event();
        return next;
      } catch (error) {
        end('left');
        throw error;
      }
    },
    return: async (value) => {
      end(failure ?? 'left');
      return (await results.return?.(value)) ?? { done: true, value };
    },
  };
}

/** A result without data is the last one, and says why the stream ends. */
const codeOf = ({ errors }: Result): string => String(errors?.[0]?.extensions?.code ?? 'INTERNAL_SERVER_ERROR');
