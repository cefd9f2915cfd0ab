import { execFile } from 'node:child_process';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { subgraphs } from '../subgraphs/index.ts';
import { endWith, runInstance, type Started, startGateway } from './instance.ts';
import { createDatabase, startPostgres } from './postgres.ts';
import { type Addresses, addressesOf } from './services/addresses.ts';
import { hadoopReady, startHadoop, stopApplications } from './services/hadoop.ts';
import { installSteps, S3A_JARS } from './services/install.ts';
import { minioReady, startMinio } from './services/minio.ts';
import { untilTrue } from './services/until.ts';
import { type Backends, keepAlive, root, startChroma, startMlflow, startScript, startWorker } from './stack.ts';

/**
 * `npm run services`: the services profile as plain processes on loopback: HDFS, YARN, MinIO, PostgreSQL, MLflow on both, Chroma,
 * each subgraph by URL, one worker for Spark and one for training. docker-compose.yml has the same as containers.
 */
const { values: options } = parseArgs({ options: { fresh: { type: 'boolean', default: false } } });
const BUCKET = 'hashira';
const at = (port: number) => `http://127.0.0.1:${port}`;

/** Data, and what it stands on. Each is started when those before it answer. */
function steps(started: Started) {
  const { config, services } = started;
  let addresses: Addresses;
  return [
    ...installSteps(),
    {
      title: 'PostgreSQL, HDFS, YARN, MinIO',
      run: async () => {
        addresses = await addressesOf(config.HASHIRA_DATA);
        const { ports } = addresses;
        services.push(startMinio(config, addresses));
        const hadoop = startHadoop(config, ports);
        services.push(...hadoop);
        // Stopped before YARN is: what still runs there would go on by itself.
        services.push({ name: 'applications', stop: () => stopApplications(ports) });
        const start = () => startPostgres(path.join(config.HASHIRA_DATA, 'postgres'), { port: ports.POSTGRES_PORT });
        const postgres = await start();
        services.push(keepAlive('PostgreSQL', start, postgres));
        await Promise.all([minioReady(addresses), hadoopReady(ports)]);
        const env = environment(started, addresses, postgres.url);
        started.env = env;
        started.publish(env);
        const bucket = ['--import', 'tsx', 'scripts/services/bucket.ts'];
        await promisify(execFile)(process.execPath, bucket, { cwd: root, env: { ...process.env, ...env } });
      },
    },
    {
      title: 'MLflow, Chroma',
      run: async () => {
        const { ports } = addresses;
        const database = await createDatabase(started.env.DATABASE_URL as string, 'mlflow');
        const mlflow = {
          ...s3Environment(addresses),
          MLFLOW_BACKEND_STORE_URI: database.replace(/^postgres:/, 'postgresql:'),
          MLFLOW_ARTIFACTS_DESTINATION: `s3://${BUCKET}/mlflow`,
          MLFLOW_S3_ENDPOINT_URL: at(ports.MINIO_PORT),
        };
        services.push(keepAlive('MLflow', async () => startMlflow(config, ports.MLFLOW_PORT, mlflow)));
        services.push(keepAlive('Chroma', async () => startChroma(config, ports.CHROMA_PORT)));
        // Its /health knows nothing of its database.
        const models = `${at(ports.MLFLOW_PORT)}/api/2.0/mlflow/registered-models/search?max_results=1`;
        await untilTrue('MLflow', async () => (await fetch(models)).ok);
        await untilTrue('Chroma', async () => (await fetch(`${at(ports.CHROMA_PORT)}/api/v2/heartbeat`)).ok);
      },
    },
    {
      title: 'Subgraphs',
      run: async () => {
        for (const { name } of subgraphs) {
          const port = addresses.ports[`${name.toUpperCase()}_PORT` as keyof Addresses['ports']];
          const env = { ...started.env, HOST: '127.0.0.1', PORT: String(port) };
          services.push(keepAlive(name, async () => startScript(name, config, `subgraphs/${name}/index.ts`, env)));
          await untilTrue(name, async () => (await fetch(`${at(port)}/health/live`)).ok);
        }
      },
    },
    {
      title: 'Gateway and workers',
      run: async () => {
        services.push(await startGateway(config, started.env));
        services.push(startWorker(config, { ...started.env, WORKER_LANES: 'data,index,summaries' }, 'Spark worker'));
        services.push(startWorker(config, { ...started.env, WORKER_LANES: 'training' }, 'training worker'));
      },
    },
  ];
}

function s3Environment({ ports, secrets }: Addresses) {
  return {
    S3_ENDPOINT: at(ports.MINIO_PORT),
    AWS_ACCESS_KEY_ID: secrets.MINIO_ROOT_USER,
    AWS_SECRET_ACCESS_KEY: secrets.MINIO_ROOT_PASSWORD,
  };
}

/** The services profile: the same settings that an operator gives for services of their own. */
function environment({ config }: Started, addresses: Addresses, databaseUrl: string): Backends['env'] {
  const { ports, secrets } = addresses;
  return {
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    ...Object.fromEntries(
      subgraphs.map(({ name }) => {
        const upper = name.toUpperCase() as Uppercase<string>;
        return [`${upper}_URL`, `${at(ports[`${upper}_PORT` as keyof typeof ports])}/graphql`];
      }),
    ),
    ...s3Environment(addresses),
    HASHIRA_DATA: config.HASHIRA_DATA,
    DATABASE_URL: databaseUrl,
    MLFLOW_TRACKING_URI: at(ports.MLFLOW_PORT),
    CHROMA_URL: at(ports.CHROMA_PORT),
    SUBGRAPH_SECRET: secrets.SUBGRAPH_SECRET,
    LAKE_URI: `hdfs://127.0.0.1:${ports.HDFS_PORT}/lake`,
    WEBHDFS_URL: at(ports.HDFS_WEB_PORT),
    STORE_URI: `s3://${BUCKET}`,
    S3A_JARS,
    SPARK_MASTER: 'yarn',
    SPARK_LOCAL_IP: '127.0.0.1',
    SPARK_DRIVER_MEMORY: '768m',
    YARN_URL: at(ports.YARN_WEB_PORT),
    HADOOP_CONF_DIR: path.join(root, 'spark/hadoop/conf'),
  };
}

const made = ['postgres', 'mlflow', 'chroma', 'services', 'train', 'models', 'logs', 'tokens.json'];
await runInstance(steps, { fresh: options.fresh, made: [...made, 'development-key.json'] }).catch(endWith);
