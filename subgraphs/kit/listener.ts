import pg from 'pg';
import type { Logger } from './log.ts';

const AGAIN_AFTER_MS = 3_000;

export interface Listener {
  close(): Promise<void>;
}

/**
 * Calls back with the payload of every notice on a channel of PostgreSQL, on a connection of its own that is opened again when it
 * breaks. Notices can be missed meanwhile, or behind a transaction pooler: who needs certainty also looks.
 * @param channel a plain identifier
 * @param onListening called whenever it listens anew: notices before that were missed
 */
export function listen(
  url: string,
  channel: string,
  onNotice: (payload: string) => void,
  log: Logger,
  onListening?: () => void,
): Listener {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  const connect = async () => {
    const next = new pg.Client({ connectionString: url, application_name: `${channel}-listener`, keepAlive: true });
    client = next;
    const again = (err?: Error) => {
      if (closed || client !== next) return;
      client = null;
      log.debug({ err, channel }, 'listening again soon');
      timer = setTimeout(connect, AGAIN_AFTER_MS);
      next.end().catch(() => {});
    };
    next.on('error', again);
    next.on('end', () => again());
    next.on('notification', ({ payload }) => onNotice(payload ?? ''));
    await next
      .connect()
      .then(() => next.query(`LISTEN ${pg.escapeIdentifier(channel)}`))
      .then(() => closed || onListening?.())
      .catch(again);
  };
  void connect();
  return {
    close: async () => {
      closed = true;
      if (timer) clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
