import { expect, test } from 'vitest';
import { testConfig } from '../test/shell.ts';
import { childEnvironment, pythonCommand } from './python.ts';

test('children get what they need and no secret that they have no use for', () => {
  const env = childEnvironment(testConfig({ MLFLOW_TRACKING_URI: 'http://127.0.0.1:5000', SPARK_MASTER: 'local[2]' }), {
    PATH: '/bin',
    JAVA_HOME: '/java',
    LC_ALL: 'C.UTF-8',
    SPARK_LOCAL_DIRS: '/fast',
    AWS_ACCESS_KEY_ID: 'for the store',
    DATABASE_URL: 'postgres://secret@db/x',
    SUBGRAPH_SECRET: 'secret',
    GEMINI_API_KEY: 'secret',
    NODE_OPTIONS: '--inspect',
  });
  expect(env).toMatchObject({
    PATH: '/bin',
    JAVA_HOME: '/java',
    LC_ALL: 'C.UTF-8',
    SPARK_LOCAL_DIRS: '/fast',
    SPARK_MASTER: 'local[2]',
    AWS_ACCESS_KEY_ID: 'for the store',
    MLFLOW_TRACKING_URI: 'http://127.0.0.1:5000',
    MLFLOW_DISABLE_TELEMETRY: 'true',
    DVC_NO_ANALYTICS: '1',
  });
  expect(JSON.stringify(env)).not.toContain('secret');
  expect(env).not.toHaveProperty('NODE_OPTIONS');
});

test('the Python of the children can be chosen', () => {
  expect(pythonCommand(testConfig(), 'x', 'spark/generate.py', []).command).toMatch(/\/\.venv\/bin\/python$/);
  const command = pythonCommand(testConfig({ WORKER_PYTHON: '/opt/python' }), 'x', 'spark/generate.py', ['--a']);
  expect(command).toMatchObject({
    command: '/opt/python',
    args: [expect.stringMatching(/^\/.*\/spark\/generate\.py$/), '--a'],
  });
});
