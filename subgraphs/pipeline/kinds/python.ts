import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../kit/config.ts';
import type { Command } from '../run.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What a child gets of our environment. All else stays here: it may be a secret that the child has no use for. */
const PASSED_ON = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR', 'JAVA_HOME', 'SSL_CERT_FILE'],
  ...['REQUESTS_CA_BUNDLE', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
];
const PASSED_ON_PREFIXES = [
  ...['LC_', 'SPARK_', 'PYSPARK_', 'HADOOP_', 'HDFS_', 'YARN_', 'AWS_', 'S3_', 'S3A_', 'OMP_', 'HASHIRA_COMMIT'],
];

/** The environment of Spark and training: an allowed part of ours, where data and models are, no telemetry. */
export function childEnvironment(config: Config, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const passedOn = Object.entries(env).filter(
    ([name]) => PASSED_ON.includes(name) || PASSED_ON_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
  return {
    ...Object.fromEntries(passedOn),
    LAKE_URI: config.LAKE_URI,
    STORE_URI: config.STORE_URI,
    SPARK_MASTER: config.SPARK_MASTER,
    SPARK_DRIVER_MEMORY: config.SPARK_DRIVER_MEMORY,
    ...(config.MLFLOW_TRACKING_URI ? { MLFLOW_TRACKING_URI: config.MLFLOW_TRACKING_URI } : {}),
    PYTHONPATH: path.join(ROOT, 'ml'),
    PYTHONUNBUFFERED: '1',
    MLFLOW_DISABLE_TELEMETRY: 'true',
    DO_NOT_TRACK: '1',
    DVC_NO_ANALYTICS: '1',
    GIT_PYTHON_REFRESH: 'quiet',
  };
}

/** @param script relative to the repository */
export function pythonCommand(config: Config, name: string, script: string, args: readonly string[]): Command {
  return {
    name,
    command: config.WORKER_PYTHON ?? path.join(ROOT, '.venv', 'bin', 'python'),
    args: [path.join(ROOT, script), ...args],
    env: childEnvironment(config),
    cwd: ROOT,
  };
}
