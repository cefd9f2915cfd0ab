import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { subgraphs } from '../subgraphs/index.ts';
import { settings } from '../subgraphs/kit/config.ts';
import { root } from './stack.ts';

/** What a machine without Docker can check of the containers; `npm run services` runs the same commands for real. */
interface Service {
  image?: string;
  build?: { context: string; target: string };
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  networks: string[];
  healthcheck?: object;
  depends_on?: Record<string, { condition: string }>;
  mem_limit?: string;
  restart?: string;
  read_only?: boolean;
  volumes?: string[];
  cap_drop?: string[];
}
const text = readFileSync(path.join(root, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as { services: Record<string, Service>; volumes: object };
const services = Object.entries(compose.services);

/** What each target of the Dockerfile begins from, and as whom it runs in the end. */
const targets = new Map<string, { user: string | undefined }>();
for (const [, from, name, body] of readFileSync(path.join(root, 'Dockerfile'), 'utf8').matchAll(
  /^FROM (\S+) AS (\S+)$([\s\S]*?)(?=^FROM |$(?![\s\S]))/gm,
)) {
  const [, user] = [...(body ?? '').matchAll(/^USER (\w+)$/gm)].at(-1) ?? [];
  targets.set(name as string, { user: user ?? targets.get(from as string)?.user });
}

test('there is a service for every subgraph, and the gateway knows each by its address', () => {
  const gateway = compose.services.gateway?.environment ?? {};
  for (const { name } of subgraphs) {
    expect(compose.services[name]?.command).toEqual([`subgraphs/${name}/index.ts`]);
    expect(gateway[`${name.toUpperCase()}_URL`]).toBe(`http://${name}:4001/graphql`);
  }
});

test('nothing but the gateway is published, and to this machine only unless told otherwise', () => {
  const published = services.filter(([, { ports }]) => ports);
  expect(published.map(([name]) => name)).toEqual(['gateway']);
  expect(compose.services.gateway?.ports).toEqual([`\${PUBLISH:-127.0.0.1:4000}:4000`]);
});

test('no secret has a default', () => {
  expect(text.match(/\$\{\w*(PASSWORD|SECRET|ROOT_USER)\w*[^}]*\}/g)?.filter((use) => !use.includes(':?'))).toEqual([]);
});

describe.each(services)('%s', (name, service) => {
  test('is made of files that are there', () => {
    if (!service.build) return;
    expect([...targets.keys()]).toContain(service.build.target);
    for (const word of service.command ?? []) {
      if (/\.(ts|py)$/.test(word)) expect(existsSync(path.join(root, word)), word).toBe(true);
    }
  });

  test('runs as nobody special, with bounds, and tells how it is', () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], mem_limit: expect.stringMatching(/^\dg$/) });
    if (service.restart !== 'no') expect(service.healthcheck).toBeDefined();
    if (!service.build) return expect(service).toHaveProperty('user');
    expect(targets.get(service.build.target)?.user).toMatch(/^(node|hashira)$/);
  });

  test('waits for nothing that is not there, and keeps its data in a volume', () => {
    for (const needed of Object.keys(service.depends_on ?? {})) expect(compose.services).toHaveProperty([needed]);
    for (const volume of service.volumes ?? []) {
      if (!volume.startsWith('.')) expect(compose.volumes).toHaveProperty([volume.split(':')[0] as string]);
    }
    expect(
      service.networks.every((network) => ['inside', 'outside'].includes(network)),
      name,
    ).toBe(true);
  });
});

test('the settings of our own processes are those that they know', () => {
  const others = /^(AWS_|HDFS_|YARN_|HADOOP_|S3A_)/;
  for (const [name, { environment = {}, image }] of services) {
    if (!image?.startsWith('hashiramart/') || /hadoop|python|minio/.test(image)) continue;
    const unknown = Object.keys(environment).filter((variable) => !(variable in settings) && !others.test(variable));
    expect(unknown, name).toEqual([]);
  }
});

test('the configuration of HDFS and YARN asks for no address that is not told', () => {
  const files = ['core-site.xml', 'hdfs-site.xml', 'yarn-site.xml'].map((file) =>
    readFileSync(path.join(root, 'spark/hadoop/conf', file), 'utf8'),
  );
  const asked = new Set([...files.join('').matchAll(/\$\{env\.(\w+):-[^}]+\}/g)].map(([, name]) => name as string));
  const passedOn = /env-whitelist<\/name><value>([^<]+)/.exec(files[2] as string)?.[1]?.split(',') ?? [];
  // A container asks for what clients need; what only daemons need is theirs.
  const clients = ['HDFS_HOST', 'HDFS_PORT', 'YARN_HOST', 'YARN_PORT', 'YARN_SCHEDULER_PORT', 'HADOOP_DATA'];
  for (const name of clients) {
    expect(asked).toContain(name);
    expect(passedOn).toContain(name);
  }
  expect(files.join('')).not.toMatch(/\$\{env\.\w+\}/);
});
