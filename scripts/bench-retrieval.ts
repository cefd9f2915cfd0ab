import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { toDocument } from '../subgraphs/catalog/documents.ts';
import { indexCatalog } from '../subgraphs/catalog/indexer.ts';
import type { ProductFilter } from '../subgraphs/catalog/model.ts';
import { ProductIndex } from '../subgraphs/catalog/product-index.ts';
import { NEAR, Retriever } from '../subgraphs/catalog/retriever.ts';
import type { Vectors } from '../subgraphs/catalog/vectors.ts';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { Database } from '../subgraphs/kit/database.ts';
import { cosine, type Embedder } from '../subgraphs/kit/embedder.ts';
import { createLogger } from '../subgraphs/kit/log.ts';
import { migrate } from '../subgraphs/kit/migrate.ts';
import { ChromaServer } from '../test/support/chroma.ts';
import { startPostgres } from './postgres.ts';
import { python, root } from './stack.ts';

/**
 * `npm run bench:retrieval -- [products]`: indexes a generated catalogue (10,000 products when not given) and asks it questions, with
 * a real PostgreSQL and a real Chroma on this machine. Prints how fast it indexes, how many of the true nearest Chroma finds, how
 * long a retrieval takes and how good it is; the last line is JSON.
 */
const COUNT = Number(process.argv[2] ?? 10_000);
const SEED = 7;
const QUESTIONS = 220;
const TOP = 10;
const THREADS = 2;

interface Product {
  id: string;
  sku: string;
  name: string;
  description: string;
  price: number;
  categoryId: string;
  attributes: Record<string, string>;
  inStock: boolean;
}
interface Category {
  id: string;
  name: string;
  parentId: string | null;
}
interface Question {
  text: string;
  relevant(product: Product): boolean;
  /** A filter that a shopper might set along with it. */
  filter: ProductFilter;
}

/** What each asks for, and how; a product is relevant when it is of the kind and has the same values. */
const TEMPLATES: [attributes: string[], text: (kind: string, ...values: string[]) => string][] = [
  [['breathing style'], (kind, style) => `Which ${kind} suit the ${style} breathing style?`],
  [['breathing style', 'edge'], (kind, style, edge) => `I am looking for a ${edge} ${kind} in ${style} style`],
  [['steel', 'use'], (kind, steel, use) => `Do you sell ${kind} made of ${steel} for ${use}?`],
  [['colour', 'material'], (kind, colour, material) => `Show me ${colour} ${kind} of ${material}`],
  [['blade colour'], (kind, colour) => `a ${kind} with a ${colour} blade please`],
  [['use'], (kind, use) => `What ${kind} can I use for ${use}?`],
  [['workshop'], (kind, workshop) => `${kind} from ${workshop}`],
  [
    ['sheath', 'hilt wrap'],
    (kind, sheath, wrap) => `${kind} that come with a ${sheath} sheath and ${wrap} on the hilt`,
  ],
  [['pattern'], (kind, pattern) => `is there a ${kind} with a ${pattern} pattern?`],
  [['care'], (kind, care) => `for which ${kind} is this enough: ${care}?`],
  [['length'], (kind, length) => `${kind} about ${length} long`],
];

/** Questions in other words than the catalogue's; relevant is what is in one of the categories. */
const PARAPHRASES: [text: string, ...categories: string[]][] = [
  ['something to keep my blade from rusting', 'c-oils', 'c-care-kits'],
  ['what can I use to sharpen a dull edge', 'c-whetstones'],
  ['how do I make my dull sword cut again?', 'c-whetstones'],
  ['shoes I can wear with a kimono', 'c-footwear'],
  ['how can I hang two swords on the wall', 'c-stands'],
  ['something to carry my sword to the dojo in', 'c-bags'],
  ['jewellery for my ears', 'c-earrings'],
  ['a lucky amulet for a friend', 'c-charms'],
  ['a book to learn the techniques from', 'c-manuals'],
  ['safe practice weapon for a beginner', 'c-wooden-swords'],
  ['something to cover my face at a festival', 'c-masks'],
  ['a light coat for summer', 'c-haori'],
  ['long pole weapon', 'c-polearms'],
  ['a small dagger', 'c-tanto'],
  ['short sword to wear beside the long one', 'c-wakizashi'],
  ['replacement handguard', 'c-guards'],
  ['scabbard for my blade', 'c-sheaths'],
  ['my grip is worn out, what do I need to rewrap it', 'c-wraps'],
  ['sash to hold up my trousers', 'c-belts'],
  ['what do I need to practise cutting at home', 'c-dojo', 'c-wooden-swords'],
  ['full outfit of the corps for a convention', 'c-uniforms'],
  ['cleaning set for maintenance', 'c-care-kits', 'c-oils'],
  ['instructions for footwork', 'c-manuals'],
  ['keychain or pendant as a small present', 'c-charms', 'c-earrings'],
  ['sandals', 'c-footwear'],
  ['wooden training sword', 'c-wooden-swords'],
  ['spear', 'c-polearms'],
  ['sword holder for my desk', 'c-stands'],
];

/** What the shop has nothing of. */
const FOREIGN = [
  ...[
    'laptop charger',
    'how do I reset my password',
    'asdf qwer',
    'what is the weather in Paris',
    'pizza',
    'zzz',
    'hello',
  ],
  ...[
    'car insurance',
    'xylophone',
    'python programming',
    'mobile phone',
    'garden hose',
    'baby food',
    'dentist near me',
  ],
  ...[
    'flight tickets',
    'mortgage rates',
    'football results',
    'printer ink',
    'dog leash',
    'wedding cake',
    'vacuum cleaner',
  ],
];

function catalogue(): { products: Product[]; categories: Category[] } {
  const dump = `import json, sys; sys.path.insert(0, "spark")
from catalogue import CATEGORIES, make_catalogue
print(json.dumps({"categories": [{"id": c.id, "name": c.name, "parentId": c.parent_id} for c in CATEGORIES],
  "products": [{"id": p.id, "sku": p.sku, "name": p.name, "description": p.description, "price": p.price,
    "categoryId": p.category_id, "attributes": p.attributes} for p in make_catalogue(${COUNT}, ${SEED})]}))`;
  const made = JSON.parse(
    execFileSync(python(), ['-c', dump], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 30 }),
  ) as ReturnType<typeof catalogue>;
  for (const [index, product] of made.products.entries()) product.inStock = index % 7 !== 0;
  return made;
}

async function load(database: Database, { products, categories }: ReturnType<typeof catalogue>): Promise<void> {
  await database.transaction(async (tx) => {
    const shelves = categories.map(({ id, name, parentId }) => [id, name, parentId, 'generated']);
    await tx.copy('catalog.categories', ['id', 'name', 'parent_id', 'source'], shelves);
    await tx.copy(
      'catalog.products',
      [
        ...[
          'id',
          'sku',
          'name',
          'description',
          'price',
          'currency',
          'category_id',
          'attributes',
          'stock',
          'created_at',
        ],
        'source',
      ],
      products.map((p) => [
        ...[p.id, p.sku, p.name, p.description, p.price, 'JPY', p.categoryId, p.attributes, p.inStock ? 3 : 0],
        ...[new Date(0), 'generated'],
      ]),
    );
  });
  await database.query('ANALYZE');
}

/** Questions about products of the catalogue, in turn by each template; the same ones every time. */
function questions({ products, categories }: ReturnType<typeof catalogue>): Question[] {
  const names = new Map(categories.map(({ id, name }) => [id, name.toLowerCase()]));
  const asked: Question[] = [];
  for (let state = 1; asked.length < QUESTIONS; ) {
    state = (state * 48_271) % 2_147_483_647; // Park & Miller's minimal standard generator
    const about = products[state % products.length] as Product;
    const [attributes, text] = TEMPLATES[asked.length % TEMPLATES.length] as (typeof TEMPLATES)[number];
    const values = attributes.flatMap((name) => about.attributes[name] ?? []);
    if (values.length < attributes.length) continue;
    asked.push({
      text: text(names.get(about.categoryId) as string, ...values),
      relevant: (product) =>
        product.categoryId === about.categoryId &&
        attributes.every((name) => product.attributes[name] === about.attributes[name]),
      filter: { attributes: new Map(), maxPrice: Math.ceil(about.price / 5_000) * 5_000, inStock: true },
    });
  }
  return asked;
}

const paraphrases = (): Question[] =>
  PARAPHRASES.map(([text, ...categories]) => ({
    text,
    relevant: ({ categoryId }) => categories.includes(categoryId),
    filter: { attributes: new Map() },
  }));

const passes = ({ maxPrice = Number.POSITIVE_INFINITY, inStock }: ProductFilter, product: Product): boolean =>
  product.price <= maxPrice && (inStock === undefined || product.inStock === inStock);

const percentile = (values: readonly number[], fraction: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * fraction))] ?? 0;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

/**
 * The part of the true nearest that Chroma finds. Of products that are equally near any will do: a neighbour is right when it is no
 * farther than the last of the true ones.
 */
async function recall(
  vectors: Vectors,
  queries: { vector: Float32Array; allowed: (product: Product) => boolean; options: object }[],
  products: readonly Product[],
  embedded: readonly Float32Array[],
): Promise<number> {
  let [right, wanted] = [0, 0];
  for (const { vector, allowed, options } of queries) {
    const exact = products
      .flatMap((product, index) => (allowed(product) ? [cosine(vector, embedded[index] as Float32Array)] : []))
      .sort((a, b) => b - a)
      .slice(0, TOP);
    const last = (exact.at(-1) ?? 1) - 1e-5;
    const found = await vectors.nearest(vector, TOP, options);
    right += found.filter(({ similarity }) => similarity >= last).length;
    wanted += exact.length;
  }
  return right / wanted;
}

async function retrieval(
  retriever: Retriever,
  asked: readonly Question[],
  products: readonly Product[],
  open: boolean,
) {
  const byId = new Map(products.map((product) => [product.id, product]));
  const times: number[] = [];
  const precision: number[] = [];
  const first: number[] = [];
  for (const { text, filter, relevant } of asked) {
    const given = open ? undefined : filter;
    const start = performance.now();
    const hits = await retriever.find(text, given, { limit: 20, required: true });
    times.push(performance.now() - start);
    const right = hits.map(({ productId }) => relevant(byId.get(productId) as Product));
    const possible = products.filter((product) => relevant(product) && (open || passes(filter, product))).length;
    if (possible === 0) continue;
    precision.push(right.slice(0, TOP).filter(Boolean).length / Math.min(TOP, possible));
    first.push(right.includes(true) ? 1 / (right.indexOf(true) + 1) : 0);
  }
  return {
    p50: round(percentile(times, 0.5)),
    p95: round(percentile(times, 0.95)),
    precision: round(mean(precision), 3),
    mrr: round(mean(first), 3),
  };
}

async function embedAll(embedder: Embedder, { products, categories }: ReturnType<typeof catalogue>) {
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  return embedder.embed(
    products.map((product) => toDocument({ ...product, category: names.get(product.categoryId) as string }).text),
  );
}

const folder = await mkdtemp(path.join(tmpdir(), 'hashira-bench-'));
const postgres = await startPostgres(path.join(folder, 'postgres'));
const chroma = await ChromaServer.start();
const log = createLogger('bench', 'warn');
const database = new Database(postgres.url, { name: 'bench' });
try {
  await migrate(postgres.url, 'catalog', path.join(root, 'subgraphs/catalog/migrations'), log);
  const shop = catalogue();
  const asked = questions(shop);
  await load(database, shop);
  const index = ProductIndex.of({ ...loadConfig(), CHROMA_URL: chroma.url }, database, THREADS);
  if (!index) throw new Error('There is no sentence embedder. `npm start` builds one.');
  const [vectors, embedder] = await Promise.all([index.vectors(), index.embedder()]);

  let start = performance.now();
  let told = start;
  await indexCatalog(database, vectors, embedder, {
    onProgress: (done) => {
      if (performance.now() - told < 15_000) return;
      told = performance.now();
      console.log(`  indexing … ${Math.round(done * 100)} %`);
    },
  });
  const perSecond = COUNT / ((performance.now() - start) / 1000);
  start = performance.now();
  await indexCatalog(database, vectors, embedder);
  const unchanged = performance.now() - start;
  console.log(`Indexed ${COUNT} products at ${round(perSecond)} a second (${THREADS} threads).`);
  console.log(`Looked for changes when there were none: ${round(unchanged)} ms.`);

  const embedded = await embedAll(embedder, shop);
  const queries = await embedder.embed(asked.map(({ text }) => text));
  const compare = (options: (question: Question) => object, filtered: boolean) =>
    recall(
      vectors,
      asked.map((question, at) => ({
        vector: queries[at] as Float32Array,
        allowed: (product) => !filtered || passes(question.filter, product),
        options: options(question),
      })),
      shop.products,
      embedded,
    );
  const recalls = {
    all: await compare(() => ({}), false),
    byIds: await compare(
      ({ filter }) => ({ ids: shop.products.filter((product) => passes(filter, product)).map(({ id }) => id) }),
      true,
    ),
    byMetadata: await compare(
      ({ filter }) => ({ where: { $and: [{ price: { $lte: filter.maxPrice } }, { inStock: true }] } }),
      true,
    ),
  };
  console.log(
    `Of the ${TOP} nearest by exact search, Chroma finds ${recalls.all.toFixed(4)}; with a filter by ids ` +
      `${recalls.byIds.toFixed(4)}, by metadata ${recalls.byMetadata.toFixed(4)} (${QUESTIONS} questions).`,
  );

  // As a server asks: with an embedder that remembers none of the questions, and the words' counts known from earlier ones.
  const fresh = (questions: Question[]) => questions.map((one) => ({ ...one, text: `${one.text} ` }));
  const retriever = new Retriever(database, index, log);
  await retrieval(retriever, asked, shop.products, true);
  const open = await retrieval(retriever, fresh(asked), shop.products, true);
  const filtered = await retrieval(retriever, fresh(fresh(asked)), shop.products, false);
  const meant = await retrieval(retriever, paraphrases(), shop.products, true);
  const results = { 'without a filter': open, filtered, 'in other words': meant };
  for (const [name, { p50, p95, precision, mrr }] of Object.entries(results))
    console.log(`Retriever.find, ${name}: p50 ${p50} ms, p95 ${p95} ms; precision@${TOP} ${precision}, MRR ${mrr}.`);
  const near = async (texts: string[]) => {
    const nearest = await Promise.all(texts.map(async (text) => vectors.nearest(await embedder.one(text), 1)));
    return nearest.filter(([first]) => (first?.similarity ?? 0) >= NEAR).length / texts.length;
  };
  const found = {
    shop: round(await near(PARAPHRASES.map(([text]) => text)), 3),
    foreign: round(await near(FOREIGN), 3),
  };
  console.log(
    `With a similarity of ${NEAR} or more something is found for ${found.shop * 100} % of what the shop has, in other words, and for ` +
      `${found.foreign * 100} % of what it has nothing of.`,
  );
  console.log(
    JSON.stringify({
      products: COUNT,
      questions: QUESTIONS,
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      indexedPerSecond: round(perSecond),
      unchangedMs: round(unchanged),
      recallAt10: recalls,
      find: open,
      findFiltered: filtered,
      findInOtherWords: meant,
      foundAtNear: found,
    }),
  );
} finally {
  await database.close();
  await chroma.stop();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
