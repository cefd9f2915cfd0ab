import { readFileSync } from 'node:fs';
import type { Instance } from '../support/instance.ts';
import { commandOf, processTree } from '../support/processes.ts';
import type { Probe } from './probes.ts';

/** A part of the services profile that dies in the middle of a job. */
export interface Part {
  name: string;
  /** Whether this is its process. */
  is(pid: number, command: string): boolean;
  /** Where it answers when it is back; a part without an address is back when its process is. */
  address?: (ports: Record<string, number>) => string;
  /** The job, and the stage in whose middle it dies. */
  job: keyof typeof JOBS;
  stage: RegExp;
  /** What of the graph may fail meanwhile; all else must answer. */
  needed: readonly Probe[];
}

/** @param count how many of the kind have been begun before: no training may find its work done */
export const JOBS = {
  prepare: () => 'prepareDatasets',
  train: (count: number) => `trainModels(input: { models: ["recommender"], params: { seed: ${100 + count} } })`,
  index: () => 'indexCatalog(full: true)',
};

const at = (port: number | undefined, path: string) => `http://127.0.0.1:${port}${path}`;
const worker = (lane: string) => (pid: number, command: string) =>
  command.endsWith('subgraphs/pipeline/worker.ts') && lanesOf(pid).includes(lane);
const everything: readonly Probe[] = ['catalogue', 'search', 'popular', 'recommendations', 'forecast', 'assistant'];

export const PARTS: readonly Part[] = [
  {
    name: 'DataNode',
    is: (_, command) => command.endsWith('.datanode.DataNode'),
    address: ({ HDFS_DATA_WEB_PORT }) => at(HDFS_DATA_WEB_PORT, '/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo'),
    ...{ job: 'prepare', stage: /^check events/, needed: [] },
  },
  {
    name: 'NodeManager',
    is: (_, command) => command.endsWith('.nodemanager.NodeManager'),
    address: ({ YARN_NODE_WEB_PORT }) => at(YARN_NODE_WEB_PORT, '/ws/v1/node/info'),
    ...{ job: 'prepare', stage: /^check events/, needed: [] },
  },
  { name: 'Spark worker', is: worker('data'), job: 'prepare', stage: /^check events/, needed: [] },
  { name: 'training worker', is: worker('training'), job: 'train', stage: /^train the ranker/, needed: [] },
  {
    name: 'MinIO',
    is: (_, command) => /\/minio server /.test(command),
    address: ({ MINIO_PORT }) => at(MINIO_PORT, '/minio/health/ready'),
    ...{ job: 'prepare', stage: /^count interactions/, needed: [] },
  },
  {
    name: 'MLflow',
    is: (_, command) => command.includes('mlflow_server.py'),
    address: ({ MLFLOW_PORT }) => at(MLFLOW_PORT, '/api/2.0/mlflow/registered-models/search?max_results=1'),
    ...{ job: 'train', stage: /^register|^connect to the registry/, needed: [] },
  },
  {
    name: 'PostgreSQL',
    is: (_, command) => /\/postgres -D /.test(command),
    ...{ job: 'prepare', stage: /^check events/, needed: everything },
  },
  {
    name: 'ChromaDB',
    is: (_, command) => command.includes('chroma_server.py'),
    address: ({ CHROMA_PORT }) => at(CHROMA_PORT, '/api/v2/heartbeat'),
    // On half of what it finds the assistant would deny what the catalogue has; it asks to try again instead.
    ...{ job: 'index', stage: /^index products/, needed: ['assistant'] },
  },
  {
    name: 'subgraph',
    is: (_, command) => command.endsWith('subgraphs/recommendation/index.ts'),
    address: ({ RECOMMENDATION_PORT }) => at(RECOMMENDATION_PORT, '/health/live'),
    ...{ job: 'prepare', stage: /^check events/, needed: ['popular', 'recommendations'] },
  },
];

/** The process of a part; null while there is none. */
export function processOf(part: Part, instance: Instance): number | null {
  for (const { pid } of processTree((pid) => pid === instance.child.pid)) {
    const command = commandOf(pid);
    // Each is on a leash, a shell whose command line has the part's in it.
    if (!command.startsWith('/bin/sh ') && part.is(pid, command)) return pid;
  }
  return null;
}

function lanesOf(pid: number): string[] {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return (environment.find((each) => each.startsWith('WORKER_LANES='))?.slice(13) ?? '').split(',');
  } catch {
    return [];
  }
}
