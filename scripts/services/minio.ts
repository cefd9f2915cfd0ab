import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../subgraphs/kit/config.ts';
import { keepAlive, type Service, startService } from '../stack.ts';
import type { Addresses } from './addresses.ts';
import { MINIO } from './install.ts';
import { untilTrue } from './until.ts';

export function startMinio(config: Config, { ports, secrets }: Addresses): Service {
  const data = path.join(config.HASHIRA_DATA, 'services', 'minio');
  mkdirSync(data, { recursive: true });
  const args = ['server', '--quiet', data, '--address', `127.0.0.1:${ports.MINIO_PORT}`];
  return keepAlive('MinIO', async () =>
    startService('MinIO', config, MINIO, args, {
      HOME: process.env.HOME,
      MINIO_ROOT_USER: secrets.MINIO_ROOT_USER,
      MINIO_ROOT_PASSWORD: secrets.MINIO_ROOT_PASSWORD,
      MINIO_BROWSER: 'off',
      // It would ask its maker for a newer version.
      MINIO_UPDATE: 'off',
    }),
  );
}

/** Waits until it answers. */
export async function minioReady({ ports }: Addresses): Promise<void> {
  const address = `http://127.0.0.1:${ports.MINIO_PORT}/minio/health/ready`;
  await untilTrue('MinIO', async () => (await fetch(address)).ok);
}
