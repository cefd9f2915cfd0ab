import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '../../subgraphs/kit/log.ts';

export interface WatchOptions {
  log: Logger;
  /** The text being served: a change made since it was read is noticed. */
  current: string;
  /** How long the file must stay the same before it counts as written. @default 100 */
  settleMs?: number;
  /** How often to look without having been told. @default 2000 */
  pollMs?: number;
}

/**
 * Calls `onChange` with each new text of the file, one call at a time and the latest text last. Notices a write in place,
 * a rename over it and a switched symbolic link; a file that is away or empty is no change. When `onChange` rejects, that
 * is logged and the text is not tried again until it changes.
 */
export function watchSupergraph(
  file: string,
  onChange: (sdl: string) => Promise<void>,
  { log, current, settleMs = 100, pollMs = 2_000 }: WatchOptions,
): { stop(): void } {
  let handled = current;
  let seen: string | undefined;
  let looking = false;
  let told = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;

  /** Never later than already due: other files of a busy folder must not put the look off for ever. */
  const lookIn = (ms: number) => {
    if (stopped || Date.now() + ms >= due) return;
    due = Date.now() + ms;
    clearTimeout(timer);
    timer = setTimeout(look, ms).unref();
  };

  /** A text counts when two looks, `settleMs` apart, find the same. */
  const look = async () => {
    looking = true;
    told = false;
    const text = await readFile(file, 'utf8').catch(() => '');
    const settled = text === seen;
    seen = text;
    const changed = text !== '' && text !== handled;
    if (changed && settled && !stopped) {
      handled = text;
      try {
        await onChange(text);
      } catch (error) {
        log.error({ err: error }, 'the changed supergraph is refused; the one before serves on');
      }
    }
    looking = false;
    due = Number.POSITIVE_INFINITY;
    lookIn(changed || told ? settleMs : pollMs);
  };

  const watcher = watchFolder(path.dirname(file), () => {
    told = true;
    if (!looking) lookIn(settleMs);
  });
  lookIn(settleMs);
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      watcher?.close();
    },
  };
}

/**
 * The folder and not the file: a rename puts another file in its place, and Kubernetes switches a link beside it. Null where
 * the system cannot watch: then polling has to do, as it does for links that lead elsewhere.
 */
function watchFolder(folder: string, onEvent: () => void) {
  try {
    return watch(folder, { persistent: false }, onEvent).on('error', () => {});
  } catch {
    return null;
  }
}
