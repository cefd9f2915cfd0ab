import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { spawnLeashed } from '../../subgraphs/kit/leash.ts';
import type { Step } from '../progress.ts';
import { root } from '../stack.ts';

/**
 * What the services are made of and no other profile needs, in `.services/`: jars by Maven, MinIO by Go, each at the version
 * named here or in spark/hadoop. Both bring their own checksums of what they fetch.
 */
const FOLDER = path.join(root, '.services');
export const HADOOP_JARS = path.join(FOLDER, 'hadoop');
export const S3A_JARS = path.join(FOLDER, 's3a');
export const MINIO = path.join(FOLDER, 'bin', 'minio');

const MAVEN_COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
/** In pyspark's jars already, or not needed by what we use of S3. */
const NOT_S3A = 'io.netty,org.slf4j,commons-logging,commons-codec,org.apache.httpcomponents';
/** The last one: MinIO's own builds have ended. */
const MINIO_MODULE = 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c';

/** Something the person can mend; shown without a stack. */
export class InstallError extends Error {}

/** Steps that fetch what is missing; none when all is there. */
export function installSteps(): Step[] {
  return [
    part('Jars of Hadoop', HADOOP_JARS, ['spark/hadoop/pom.xml'], () =>
      maven('spark/hadoop/pom.xml', HADOOP_JARS, '-DexcludeTransitive=false'),
    ),
    part('Jars of S3', S3A_JARS, ['spark/hadoop/s3a/pom.xml'], () =>
      maven('spark/hadoop/s3a/pom.xml', S3A_JARS, '-DincludeScope=runtime', `-DexcludeGroupIds=${NOT_S3A}`),
    ),
    part('MinIO (built from source, some minutes)', path.dirname(MINIO), [], () =>
      tool('go', ['install', MINIO_MODULE], 'Go 1.24 or newer', { GOBIN: path.dirname(MINIO) }),
    ),
  ].filter((step) => step !== null);
}

/** A folder that is made anew when what says what is in it has changed. */
function part(title: string, folder: string, files: readonly string[], make: () => Promise<void>): Step | null {
  const digest = createHash('sha256').update(`${title} ${MINIO_MODULE}`);
  for (const file of files) digest.update(readFileSync(path.join(root, file)));
  const wanted = digest.digest('hex');
  const stamp = path.join(folder, '.made-of');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return null;
  return {
    title,
    run: async () => {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      await make();
      writeFileSync(stamp, wanted);
    },
  };
}

const maven = (pom: string, folder: string, ...flags: string[]) =>
  tool('mvn', ['-q', '-B', '-f', pom, MAVEN_COPY, `-DoutputDirectory=${folder}`, ...flags], 'Maven 3.8 or newer');

async function tool(command: string, args: string[], needed: string, env: Record<string, string> = {}) {
  const lines: string[] = [];
  const child = spawnLeashed(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    onLine: (line) => lines.push(line),
  });
  const { code } = await child.exited;
  if (code === 0) return;
  if (code === 127) {
    throw new InstallError(
      `${needed} is needed for the services as plain processes, and \`${command}\` was not found.`,
    );
  }
  throw new InstallError(`\`${command}\` failed:\n${lines.slice(-15).join('\n')}`);
}
