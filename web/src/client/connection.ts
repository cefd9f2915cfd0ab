import { Store } from '../ui/store.ts';

/** Whether the gateway can be reached: told by what requests and sockets meet, and by the browser. */
export type Connection = 'connected' | 'lost';

export const connection = new Store<Connection>(navigator.onLine ? 'connected' : 'lost');

addEventListener('offline', () => connection.set('lost'));
