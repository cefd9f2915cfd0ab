import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';

/** How long a connection at rest is still kept: its client may be sending right now, and a cut would lose that request. */
const SWEEP_MS = 200;

/**
 * Lets an HTTP server end without losing a request: it listens no more, answers what was or is still being sent on its
 * connections, tells their clients to go, and closes each as soon as nothing is asked on it.
 * @returns what does that; it is over when all connections are closed, which `withinMs` bounds by cutting off the rest
 */
export function createDrain(server: Server): (withinMs: number) => Promise<void> {
  const inFlight = new Set<ServerResponse>();
  let draining = false;
  server.prependListener('request', (_, response) => {
    if (draining) bidGoodbye(response);
    inFlight.add(response);
    response.once('close', () => inFlight.delete(response));
  });
  return async (withinMs) => {
    draining = true;
    for (const response of inFlight) bidGoodbye(response);
    // An HTTP server's own close() would cut connections at rest at once.
    const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
    const sweep = setInterval(() => {
      // Those that never sent anything do not count as idle there.
      if (inFlight.size === 0) server.closeAllConnections();
      else server.closeIdleConnections();
    }, SWEEP_MS);
    const late = setTimeout(() => server.closeAllConnections(), withinMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(late);
  };
}

function bidGoodbye(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
