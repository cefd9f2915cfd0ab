import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/**
 * Many subscribers in a process of their own, on seats "0" to "count-1", each with a connection. It is forked with its options
 * as JSON, says `Received` when all have ended, and exits when it is told to.
 */
export interface ClientsOptions {
  url: string;
  transport: 'websocket' | 'sse' | 'multipart';
  count: number;
  /** Number of the last event. */
  last: number;
  token?: string;
}

/** What the subscribers got. */
export interface Received {
  events: number;
  /** Seats whose events were not exactly 1 to `last`, in this order, each with what belongs to it. */
  wrong: number;
  errors: string[];
}

const SALE = `subscription($seat: String!, $last: Int!) {
  sale(seat: $seat, last: $last) { n product { upc name shop { id rating } } } }`;

interface Sale {
  n: number;
  product: { upc: string; name: string; shop: { id: string; rating: number } };
}

interface Sink {
  next(result: { data?: unknown; errors?: unknown; error?: unknown }): void;
  error(error: unknown): void;
  complete(): void;
}

const subscribe = {
  websocket({ url, token }: ClientsOptions, variables: object, sink: Sink) {
    const connectionParams = token ? { authorization: `Bearer ${token}` } : {};
    const client = createClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams,
    });
    client.subscribe({ query: SALE, variables: { ...variables } }, sink);
  },
  sse({ url, token }: ClientsOptions, variables: object, sink: Sink) {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    createSseClient({ url, retryAttempts: 0, headers }).subscribe({ query: SALE, variables: { ...variables } }, sink);
  },
  multipart({ url, token }: ClientsOptions, variables: object, sink: Sink) {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const apollo = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: url, headers }) });
    apollo.subscribe({ query: gql(SALE), variables: { ...variables }, fetchPolicy: 'no-cache' }).subscribe(sink);
  },
};

const isWhole = (seat: string, index: number, sale: Sale | undefined) => {
  const upc = `${seat}-${index + 1}`;
  const { n, product } = sale ?? {};
  return (
    n === index + 1 &&
    product?.upc === upc &&
    product.name === `Product ${upc}` &&
    product.shop.rating === upc.length + 2
  );
};

const options = JSON.parse(process.argv[2] ?? '') as ClientsOptions;
const received: Received = { events: 0, wrong: 0, errors: [] };
let open = options.count;
for (let i = 0; i < options.count; i++) {
  const seat = String(i);
  const sales: (Sale | undefined)[] = [];
  let ended = false;
  const end = (error?: unknown) => {
    if (ended) return;
    ended = true;
    if (error) received.errors.push(JSON.stringify(error));
    const right = sales.length === options.last && sales.every((sale, index) => isWhole(seat, index, sale));
    if (!right) received.wrong++;
    if (--open === 0) process.send?.(received);
  };
  subscribe[options.transport](
    options,
    { seat, last: options.last },
    {
      next: ({ data, errors, error }) => {
        if (errors ?? error) received.errors.push(JSON.stringify(errors ?? error));
        received.events++;
        sales.push((data as { sale?: Sale } | null)?.sale);
      },
      error: end,
      complete: () => end(),
    },
  );
}
process.on('message', () => process.exit(0));
