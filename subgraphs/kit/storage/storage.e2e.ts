import { randomUUID } from 'node:crypto';
import { it } from 'vitest';
import { loadConfig } from '../config.ts';
import { storageContract } from './contract.ts';
import { openStorage } from './open.ts';

/** Against services of your own: TEST_STORAGES=hdfs://host:port/folder,s3://bucket/folder and what each needs of the configuration. */
const uris = (process.env.TEST_STORAGES ?? '').split(',').filter(Boolean);

for (const uri of uris) storageContract(uri, () => openStorage(`${uri}/${randomUUID()}`, loadConfig()));
it.skipIf(uris.length > 0).todo('needs TEST_STORAGES');
