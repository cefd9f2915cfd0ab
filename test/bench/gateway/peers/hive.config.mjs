import { defineConfig } from '@graphql-hive/gateway';

// Subscriptions reach the subgraphs over graphql-ws, as ours do; all else is its default.
export const gatewayConfig = defineConfig({
  transportEntries: { '*.http': { options: { subscriptions: { kind: 'ws', location: '/graphql' } } } },
});
