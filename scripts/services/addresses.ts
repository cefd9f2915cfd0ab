import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../postgres.ts';

/** Ports of everything, by the names under which spark/hadoop/conf knows them; chosen once for a data folder. */
const PORTS = [
  ...['HDFS_PORT', 'HDFS_WEB_PORT', 'HDFS_DATA_PORT', 'HDFS_DATA_WEB_PORT', 'HDFS_DATA_IPC_PORT'],
  ...['YARN_PORT', 'YARN_SCHEDULER_PORT', 'YARN_TRACKER_PORT', 'YARN_ADMIN_PORT', 'YARN_WEB_PORT'],
  ...['YARN_NODE_PORT', 'YARN_NODE_LOCALIZER_PORT', 'YARN_NODE_COLLECTOR_PORT', 'YARN_NODE_WEB_PORT'],
  ...['POSTGRES_PORT', 'MINIO_PORT', 'MLFLOW_PORT', 'CHROMA_PORT'],
  ...['CATALOG_PORT', 'RECOMMENDATION_PORT', 'FORECAST_PORT', 'CHAT_PORT', 'SUMMARY_PORT', 'PIPELINE_PORT'],
] as const;
const SECRETS = ['MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD', 'SUBGRAPH_SECRET'] as const;

export type Port = (typeof PORTS)[number];

export interface Addresses {
  ports: Record<Port, number>;
  secrets: Record<(typeof SECRETS)[number], string>;
}

/** The same at every start on a data folder: a client that waits for a service finds it again. Owner-only: has passwords in it. */
export async function addressesOf(dataDir: string): Promise<Addresses> {
  const file = path.join(dataDir, 'services', 'addresses.json');
  const known: Partial<Addresses> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const ports = { ...known.ports } as Addresses['ports'];
  for (const name of PORTS) {
    while (!ports[name]) {
      const port = await freePort();
      if (!Object.values(ports).includes(port)) ports[name] = port;
    }
  }
  const secrets = { ...known.secrets } as Addresses['secrets'];
  for (const name of SECRETS) secrets[name] ??= randomBytes(24).toString('base64url');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ ports, secrets }, null, 2), { mode: 0o600 });
  return { ports, secrets };
}
