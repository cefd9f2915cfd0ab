import { defineConfig } from 'vitest/config';

/** Unit tests sit beside the code; `*.e2e.ts` start real processes and run one file at a time, `*.services.ts` HDFS, YARN and MinIO. */
export default defineConfig({
  // Vite would take graphql's ES modules where TypeGraphQL, loaded by Node, takes the CommonJS ones: two graphqls in one process.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{gateway,subgraphs,scripts,web,test/evaluation}/**/*.test.ts'],
          globalSetup: ['test/support/postgres-setup.ts'],
          testTimeout: 15_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['{test/e2e,gateway,subgraphs}/**/*.e2e.ts'],
          globalSetup: ['test/support/postgres-setup.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: ['test/e2e/services/*.services.ts'],
          globalSetup: ['test/support/postgres-setup.ts'],
          fileParallelism: false,
          testTimeout: 1_200_000,
          hookTimeout: 1_300_000,
        },
      },
    ],
  },
});
