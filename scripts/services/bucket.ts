import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { loadConfig } from '../../subgraphs/kit/config.ts';
import { parseAddress } from '../../subgraphs/kit/storage/address.ts';

/** Makes the bucket of STORE_URI if it is not there: `node --import tsx scripts/services/bucket.ts`. */
export async function makeBucket(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const config = loadConfig(env);
  const address = parseAddress(config.STORE_URI);
  if (address?.scheme !== 's3') return;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const client = new S3Client({
    region: config.S3_REGION,
    forcePathStyle: true,
    ...(config.S3_ENDPOINT ? { endpoint: config.S3_ENDPOINT } : {}),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
  });
  try {
    const Bucket = address.bucket;
    await client.send(new HeadBucketCommand({ Bucket })).catch(() => client.send(new CreateBucketCommand({ Bucket })));
  } finally {
    client.destroy();
  }
}

if (import.meta.main) await makeBucket();
