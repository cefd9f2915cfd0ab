import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, ServerError } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { RetryLink } from '@apollo/client/link/retry';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { OperationTypeNode } from 'graphql';
import { map } from 'rxjs';
import { session, sessionEnded } from '../session/session.ts';
import { connection } from './connection.ts';
import { socket, socketsAreBlocked } from './subscriptions.ts';

const LONGEST_WAIT_MS = 5_000;

/** Nothing came back, or only from what stands before the gateway. */
const isUnreachable = (error: unknown): boolean =>
  ServerError.is(error) ? [502, 503, 504].includes(error.statusCode) : error instanceof TypeError;

/** Reads wait for a gateway that is away; so do writes that are safe to repeat and say so. */
const retry = new RetryLink({
  attempts: (_attempt, operation, error) => {
    // The same once more, and the link below takes HTTP instead.
    if (socketsAreBlocked() && error.message.startsWith('Socket closed')) return true;
    if (!isUnreachable(error)) return false;
    connection.set('lost');
    return operation.operationType !== OperationTypeNode.MUTATION || operation.getContext().safeToRepeat === true;
  },
  delay: (attempt) => Math.min(300 * 2 ** (attempt - 1), LONGEST_WAIT_MS) * (0.5 + Math.random() / 2),
});

const authorization = new SetContextLink(({ headers }) => {
  const { token } = session.value;
  return token ? { headers: { ...headers, authorization: `Bearer ${token}` } } : {};
});

const observe = new ApolloLink((operation, forward) =>
  forward(operation).pipe(
    map((result) => {
      connection.set('connected');
      return result;
    }),
  ),
);

/** A token that is no longer good ends the session; what was typed stays. */
const expiry = new ErrorLink(({ error }) => {
  const codes = CombinedGraphQLErrors.is(error) ? error.errors.map(({ extensions }) => extensions?.code) : [];
  if (session.value.token && (codes.includes('UNAUTHENTICATED') || codes.includes('TOKEN_EXPIRED'))) sessionEnded();
});

const http = new HttpLink({ uri: '/graphql' });
const overSocket = new GraphQLWsLink(socket);

export const client = new ApolloClient({
  link: ApolloLink.from([
    expiry,
    retry,
    authorization,
    observe,
    // Over HTTP, subscriptions come as multipart.
    ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION && !socketsAreBlocked(),
      overSocket,
      http,
    ),
  ]),
  cache: new InMemoryCache({
    typePolicies: {
      ModelVersion: { keyFields: ['name', 'version'] },
      Query: {
        fields: {
          products: relayStylePagination(['filter', 'sort']),
          search: relayStylePagination(['query', 'filter']),
          summaries: relayStylePagination(['filter']),
          jobs: relayStylePagination(['kind', 'status']),
          product: (existing, { args, toReference }) =>
            existing ?? toReference({ __typename: 'Product', id: args?.id }),
        },
      },
    },
  }),
});

// What somebody else may see is nobody else's.
session.subscribe(() => void client.resetStore().catch(() => {}));
