import { loadConfig } from '../../subgraphs/kit/config.ts';
import { parseAddress } from '../../subgraphs/kit/storage/address.ts';
import { connect } from '../../subgraphs/kit/storage/s3.ts';

/** Makes the bucket of STORE_URI if it is not there; `npm run services` and docker-compose.yml run this once S3 answers. */
const config = loadConfig();
const address = parseAddress(config.STORE_URI);
if (address?.scheme === 's3') {
  const s3 = await connect(config);
  await s3.headBucket({ Bucket: address.bucket }).catch(() => s3.createBucket({ Bucket: address.bucket }));
  s3.destroy();
}
