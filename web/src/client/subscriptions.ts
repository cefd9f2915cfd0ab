import { createClient } from 'graphql-ws';
import { session, sessionEnded } from '../session/session.ts';
import { connection } from './connection.ts';

const LONGEST_WAIT_MS = 5_000;
/** How the gateway closes when the token is no longer good. */
const TOKEN_ENDED = 4403;

let opened = false;
let blocked = false;

/** Whether WebSockets do not get through although the gateway answers, as behind some proxies. */
export const socketsAreBlocked = (): boolean => blocked;

/**
 * The socket of all subscriptions: opened with the first, opened again when it breaks, until nobody subscribes. Each time the
 * gateway hears the token of that moment.
 */
export const socket = createClient({
  url: () => `${location.origin.replace(/^http/, 'ws')}/graphql`,
  connectionParams: () => {
    const { token } = session.value;
    return token ? { authorization: `Bearer ${token}` } : {};
  },
  // A dead connection says nothing by itself.
  keepAlive: 10_000,
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => !blocked,
  retryWait: async (retries) => {
    connection.set('lost');
    const wait = Math.min(300 * 2 ** retries, LONGEST_WAIT_MS);
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
    if (!opened) blocked = await gatewayAnswers();
  },
  on: {
    connected: () => {
      opened = true;
      connection.set('connected');
    },
    closed: (event) => {
      if ((event as CloseEvent).code === TOKEN_ENDED && session.value.token) sessionEnded();
    },
  },
});

// Who signs in or out is somebody else: streams go on under the new name.
session.subscribe(() => socket.terminate());

const gatewayAnswers = () =>
  fetch('/health/live').then(
    ({ ok }) => ok,
    () => false,
  );
