import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { signDevelopmentToken } from '../../../gateway/development-key.ts';
import { startGateway } from '../../../gateway/gateway.ts';
import { freePort, startPostgres } from '../../../scripts/postgres.ts';
import { python, root } from '../../../scripts/stack.ts';
import { indexCatalog } from '../../../subgraphs/catalog/indexer.ts';
import { loadCatalog } from '../../../subgraphs/catalog/loader.ts';
import { string, toParquet } from '../../../subgraphs/catalog/parquet-writer.ts';
import { ProductIndex } from '../../../subgraphs/catalog/product-index.ts';
import { subgraphs } from '../../../subgraphs/index.ts';
import type { Scope } from '../../../subgraphs/kit/auth.ts';
import { type Config, loadConfig } from '../../../subgraphs/kit/config.ts';
import { Database } from '../../../subgraphs/kit/database.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import { migrate } from '../../../subgraphs/kit/migrate.ts';
import { createRegistry } from '../../../subgraphs/kit/registry.ts';
import { LocalStorage } from '../../../subgraphs/kit/storage/local.ts';
import { ChromaServer } from '../../support/chroma.ts';
import { post } from './client.ts';
import type { Product, Question } from './judge.ts';

/** Subgraphs that a shopper who only chats has to do with. */
const NEEDED = ['catalog', 'chat'];
const UPSERTS = 100;

export interface QuestionSet {
  categories: { id: string; name: string; parentId: string | null }[];
  products: (Product & Record<string, unknown>)[];
  questions: Question[];
}

/** What `questions.py` makes. @throws Error with its output */
export async function makeQuestions(options: { products: number; seed: number; split: string }): Promise<QuestionSet> {
  const out = await mkdtemp(path.join(tmpdir(), 'hashira-questions-'));
  try {
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const script = path.join(root, 'test/evaluation/chat/questions.py');
    await promisify(execFile)(python(), [script, ...flags, '--out', out]);
    const [shop, questions] = await Promise.all(
      ['products.json', 'questions.jsonl'].map((file) => readFile(path.join(out, file), 'utf8')),
    );
    const lines = (questions as string).split('\n').filter((line) => line !== '');
    return { ...JSON.parse(shop as string), questions: lines.map((line) => JSON.parse(line)) };
  } finally {
    await rm(out, { recursive: true });
  }
}

export interface Shop {
  /** Of the graph. */
  url: string;
  token(subject: string, scope: Scope): Promise<string>;
  /** Another gateway in front of the same shop, with further settings. @returns the address of its graph */
  again(env: Record<string, string>): Promise<string>;
  /** What it stands on, to be taken away and brought back. */
  chroma: ChromaServer;
  postgres: { stop(): Promise<void>; again(): Promise<void> };
}

/**
 * A shop of its own with these products, indexed: PostgreSQL, Chroma and a gateway. Settings of the embedder, of Gemini and
 * of summaries are those of the environment.
 * @param subgraphNames that its graph has
 * @param resources gets everything that has to be ended, also when the start fails
 */
export async function startShop(
  set: QuestionSet,
  resources: AsyncDisposableStack,
  subgraphNames: readonly string[] = NEEDED,
): Promise<Shop> {
  const folder = async (name: string) => {
    const dir = await mkdtemp(path.join(tmpdir(), `hashira-evaluate-${name}-`));
    resources.defer(() => rm(dir, { recursive: true, force: true }));
    return dir;
  };
  const dataDir = await folder('data');
  const [home, port] = [await folder('postgres'), await freePort()];
  let postgres = await startPostgres(home, { durable: false, port });
  resources.defer(() => postgres.stop());
  const chroma = await ChromaServer.start();
  resources.defer(() => chroma.stop());
  const database = new Database(postgres.url, { max: 10, name: 'evaluate-chat' });
  resources.defer(() => database.close());

  const chosen = Object.entries(process.env).filter(([name]) => /^(GEMINI|EMBEDDER|SUMMARY)_/.test(name));
  const env = {
    ...Object.fromEntries(chosen),
    HASHIRA_DATA: dataDir,
    DATABASE_URL: postgres.url,
    CHROMA_URL: chroma.url,
    PORT: '0',
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_MINUTE: '0',
    RATE_LIMIT_ADDRESS_PER_MINUTE: '0',
    CHAT_RATE_LIMIT_PER_MINUTE: '0',
  };
  const config = loadConfig(env);
  const url = await gateway(config, database, dataDir, resources, subgraphNames);
  const token = (subject: string, scope: Scope) => signDevelopmentToken(dataDir, subject, scope);
  await loadCategories(database, path.join(dataDir, 'lake'), set.categories);
  await upsert(url, await token('evaluation', 'admin'), set.products);
  await indexed(config, database);
  const again = (more: Record<string, string>) =>
    gateway(loadConfig({ ...env, ...more }), database, dataDir, resources, subgraphNames);
  return {
    url,
    token,
    again,
    chroma,
    postgres: {
      stop: () => postgres.stop(),
      again: async () => {
        postgres = await startPostgres(home, { durable: false, port });
      },
    },
  };
}

async function gateway(
  config: Config,
  database: Database,
  dir: string,
  resources: AsyncDisposableStack,
  names: readonly string[],
) {
  const needed = subgraphs.filter(({ name }) => names.includes(name));
  const missing = names.filter((name) => !needed.some((subgraph) => subgraph.name === name));
  if (missing.length > 0) throw new Error(`subgraphs/index.ts has no ${missing.join(' and no ')}.`);
  const services = await Promise.all(
    needed.map(async ({ name, schema }) => ({ name, url: `local://${name}`, typeDefs: parse((await schema()).sdl) })),
  );
  const { supergraphSdl, errors } = composeServices(services);
  if (!supergraphSdl) throw new Error(`${names} do not compose: ${errors?.map(({ message }) => message).join('\n')}`);
  const supergraph = path.join(dir, 'supergraph.graphql');
  await writeFile(supergraph, supergraphSdl);
  const log = createLogger('evaluate-chat', config.LOG_LEVEL);
  for (const { name, migrations } of needed) await migrate(database.url, name, migrations, log);
  const running = await startGateway(needed, { config, log, database, registry: createRegistry(config) }, supergraph);
  resources.defer(() => running.stop());
  return `${running.url}/graphql`;
}

/** The API writes products but no categories: those come with data, as the generator's do. */
async function loadCategories(database: Database, dir: string, categories: QuestionSet['categories']): Promise<void> {
  const rows = categories.map(({ id, name, parentId }) => ({ id, name, parent_id: parentId }));
  const table = toParquet([string('id'), string('name'), string('parent_id')], rows);
  const lake = new LocalStorage(dir);
  const batch = 'raw/generated-1';
  await lake.write(`${batch}/categories/part-0.parquet`, table);
  await lake.write(`${batch}/batch.json`, JSON.stringify({ kind: 'generated' }));
  await lake.write(`${batch}/_SUCCESS`, '');
  await loadCatalog(database, lake, batch);
}

async function upsert(url: string, token: string, products: QuestionSet['products']): Promise<void> {
  const query = 'mutation($products: [ProductInput!]!) { upsertProducts(products: $products) { products { id } } }';
  for (let at = 0; at < products.length; at += UPSERTS)
    await post(url, token, query, { products: products.slice(at, at + UPSERTS) });
}

async function indexed(config: Config, database: Database): Promise<void> {
  const index = ProductIndex.of(config, database);
  if (!index) throw new Error('There is no embedder: set-up builds it, or EMBEDDER_DIR names one.');
  await indexCatalog(database, await index.vectors(), await index.embedder());
}
