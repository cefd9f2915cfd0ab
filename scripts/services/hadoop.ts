import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../subgraphs/kit/config.ts';
import { hasEnded, Yarn } from '../../subgraphs/pipeline/yarn.ts';
import { keepAlive, root, type Service, sparkJars, startService } from '../stack.ts';
import { HADOOP_JARS } from './install.ts';
import { untilTrue } from './until.ts';

const DAEMONS = {
  namenode: 'NameNode',
  datanode: 'DataNode',
  resourcemanager: 'ResourceManager',
  nodemanager: 'NodeManager',
};

/** Of this environment the daemons get these, and so may the containers of YARN: nothing that is secret. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'JAVA_HOME'];

/** The four daemons of HDFS and YARN on loopback. @param ports as spark/hadoop/conf names them */
export function startHadoop(config: Config, ports: Record<string, number>): Service[] {
  const data = path.join(config.HASHIRA_DATA, 'services', 'hadoop');
  mkdirSync(data, { recursive: true });
  const env = {
    ...Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    HADOOP_JARS,
    HADOOP_DATA: data,
    SPARK_JARS: sparkJars(),
  };
  return Object.entries(DAEMONS).map(([daemon, name]) =>
    keepAlive(name, async () =>
      startService(name, config, '/bin/sh', [path.join(root, 'spark/hadoop/daemon.sh'), daemon], env),
    ),
  );
}

/** Waits until HDFS takes files and YARN takes applications. @throws Error after two minutes */
export async function hadoopReady(ports: Record<string, number>): Promise<void> {
  const json = async (url: string) => (await fetch(url, { signal: AbortSignal.timeout(2_000) })).json();
  const state = 'jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState';
  await untilTrue('HDFS', async () => {
    const { beans } = (await json(`http://127.0.0.1:${ports.HDFS_WEB_PORT}/${state}`)) as {
      beans: { NumLiveDataNodes: number; FSState: string }[];
    };
    return beans[0]?.NumLiveDataNodes === 1 && beans[0].FSState === 'Operational';
  });
  await untilTrue('YARN', async () => {
    const { clusterMetrics } = (await json(`http://127.0.0.1:${ports.YARN_WEB_PORT}/ws/v1/cluster/metrics`)) as {
      clusterMetrics: { activeNodes: number };
    };
    return clusterMetrics.activeNodes === 1;
  });
}

/** Ends the applications that run, whose processes are YARN's and not ours. */
export async function stopApplications(ports: Record<string, number>): Promise<void> {
  const yarn = new Yarn(`http://127.0.0.1:${ports.YARN_WEB_PORT}`);
  const running = async () => (await yarn.list()).filter((application) => !hasEnded(application));
  try {
    for (const { id } of await running()) await yarn.kill(id);
    await untilTrue('the end of applications', async () => (await running()).length === 0, 10);
    // The node ends their processes a moment later.
    await sleep(1_000);
  } catch {
    // Where YARN does not answer there is nobody to ask.
  }
}
