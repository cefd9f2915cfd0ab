import type { Config } from '../config.ts';
import { ADDRESSES, parseAddress } from './address.ts';
import { HdfsStorage } from './hdfs.ts';
import { LocalStorage } from './local.ts';
import { S3Storage } from './s3.ts';
import type { Storage } from './storage.ts';

export type StorageConfig = Pick<
  Config,
  'WEBHDFS_URL' | 'HADOOP_USER_NAME' | 'S3_ENDPOINT' | 'S3_REGION' | 'S3_PATH_STYLE'
>;

/** Raw batches, `raw/<batch>`. */
export const openLake = (config: Config): Storage => openStorage(config.LAKE_URI, config, 'The data lake');

/** Prepared datasets, `datasets/<version>`. */
export const openStore = (config: Config): Storage => openStorage(config.STORE_URI, config, 'The store');

/**
 * Opens what is at `uri`: a folder (a path or `file:`), HDFS or S3. Nothing is asked of it yet.
 * @param name how a person calls it, in error messages
 * @throws Error when `uri` is no address, or is on HDFS and there is no WEBHDFS_URL: loadConfig lets neither pass
 */
export function openStorage(uri: string, config: StorageConfig, name = 'The storage'): Storage {
  const address = parseAddress(uri);
  switch (address?.scheme) {
    case 'file':
      return new LocalStorage(address.folder, name);
    case 'hdfs': {
      const { WEBHDFS_URL: url, HADOOP_USER_NAME: user } = config;
      if (!url) throw new Error('WEBHDFS_URL is not set');
      return new HdfsStorage({ uri, root: address.folder, url, user, name });
    }
    case 's3':
      return new S3Storage({ ...address, config, name });
    default:
      throw new Error(`an address of a storage ${ADDRESSES}`);
  }
}
