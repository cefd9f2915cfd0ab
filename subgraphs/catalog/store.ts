import type { Queryable, Transaction } from '../kit/database.ts';
import { conditions, Parameters, subtree, tsquery } from './conditions.ts';
import type { Category, Product, ProductDraft, ProductFilter, TrackedEvent } from './model.ts';
import type { Order, Position } from './order.ts';
import type { SearchTerms } from './terms.ts';

/** A product and where it stands in the order it was asked in. */
export interface PlacedProduct {
  product: Product;
  position: Position;
}

export interface ProductsQuery {
  filter: ProductFilter;
  /** Only products that these find; they also make the order RANK possible. */
  terms?: SearchTerms;
  order: StoredOrder;
  after: Position | null;
  limit: number;
}

const PRODUCT = `p.id, p.sku, p.name, p.description, p.price::float8 AS price, p.currency, p.category_id AS "categoryId",
  p.attributes, p.stock, p.image_url AS "imageUrl"`;

interface ProductRow {
  id: string;
  sku: string;
  name: string;
  description: string;
  price: number;
  currency: string;
  categoryId: string;
  attributes: Record<string, string>;
  stock: number | null;
  imageUrl: string | null;
}

const toProduct = (row: ProductRow): Product => ({
  id: row.id,
  sku: row.sku,
  name: row.name,
  description: row.description,
  price: { amount: row.price, currency: row.currency },
  categoryId: row.categoryId,
  attributes: Object.entries(row.attributes)
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
  inStock: row.stock === null || row.stock > 0,
  stock: row.stock,
  imageUrl: row.imageUrl,
});

const toPlaced = (row: ProductRow & { key: string }): PlacedProduct => ({
  product: toProduct(row),
  position: { key: row.key, id: row.id },
});

const NAME_KEY = 'left(lower(p.name), 100) COLLATE "C"';
// Bounded, whole and therefore exact in a cursor; a hit that rounds to nothing still is one.
const RANK_KEY = '(ts_rank(p.search, q.query, 1) * 1000000)::bigint';

/** The orders that the database makes. */
type StoredOrder = Exclude<Order, 'FUSED'>;

/** For each order: what it sorts by, as an index has it; how that is written into a key; how a key is read. */
const SORTS: Record<
  StoredOrder,
  { by: string; key: string; parse: (key: string) => string; direction: 'ASC' | 'DESC' }
> = {
  NEWEST: {
    by: 'p.created_at',
    key: '(extract(epoch FROM p.created_at) * 1000)::bigint::text',
    parse: (key) => `to_timestamp(${key}::bigint / 1000.0)::timestamptz(3)`,
    direction: 'DESC',
  },
  PRICE_ASC: { by: 'p.price', key: 'p.price::text', parse: (key) => `${key}::numeric`, direction: 'ASC' },
  PRICE_DESC: { by: 'p.price', key: 'p.price::text', parse: (key) => `${key}::numeric`, direction: 'DESC' },
  NAME: { by: NAME_KEY, key: NAME_KEY, parse: (key) => `${key}::text`, direction: 'ASC' },
  RANK: { by: RANK_KEY, key: `${RANK_KEY}::text`, parse: (key) => `${key}::bigint`, direction: 'DESC' },
};

function afterPosition(order: StoredOrder, after: Position | null, parameters: Parameters): string[] {
  if (!after) return [];
  const { by, parse, direction } = SORTS[order];
  const position = `(${parse(parameters.add(after.key))}, ${parameters.add(after.id)}::text)`;
  return [`(${by}, p.id) ${direction === 'ASC' ? '>' : '<'} ${position}`];
}

const where = (all: string[]): string => (all.length > 0 ? `WHERE ${all.join(' AND ')}` : '');
const orderBy = (order: StoredOrder): string =>
  `ORDER BY ${SORTS[order].by} ${SORTS[order].direction}, p.id ${SORTS[order].direction}`;

/** Orders rows found by key as the keys were given: what a DataLoader wants. */
function byKey<Row, Value>(
  keys: readonly string[],
  rows: Row[],
  key: (row: Row) => string,
  value: (row: Row) => Value,
): (Value | null)[] {
  const found = new Map(rows.map((row) => [key(row), value(row)]));
  return keys.map((wanted) => found.get(wanted) ?? null);
}

function grouped<Row, Value>(
  keys: readonly string[],
  rows: Row[],
  key: (row: Row) => string,
  value: (row: Row) => Value,
): Value[][] {
  const groups = new Map<string, Value[]>(keys.map((wanted) => [wanted, []]));
  for (const row of rows) groups.get(key(row))?.push(value(row));
  return keys.map((wanted) => groups.get(wanted) ?? []);
}

/** Everything the API reads and writes. Each method is one statement, unless it says otherwise. */
export class CatalogStore {
  /** @param longReads takes what may run for long and nobody needs when the request is gone */
  constructor(
    private readonly db: Queryable & { transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> },
    private readonly longReads: Queryable = db,
  ) {}

  async productsById(ids: readonly string[]): Promise<(Product | null)[]> {
    const rows = await this.db.query<ProductRow>(`SELECT ${PRODUCT} FROM catalog.products p WHERE p.id = ANY($1)`, [
      ids,
    ]);
    return byKey(ids, rows, (row) => row.id, toProduct);
  }

  /** One page of products. */
  async products({ filter, terms, order, after, limit }: ProductsQuery): Promise<PlacedProduct[]> {
    const parameters = new Parameters();
    const query = terms ? `, ${tsquery(terms, parameters)}` : '';
    const all = [
      ...(terms ? ['p.search @@ q.query'] : []),
      ...conditions(filter, parameters),
      ...afterPosition(order, after, parameters),
    ];
    const rows = await this.longReads.query<ProductRow & { key: string }>(
      `SELECT ${PRODUCT}, ${SORTS[order].key} AS key FROM catalog.products p${query}
       ${where(all)} ${orderBy(order)} LIMIT ${parameters.add(limit)}`,
      parameters.values,
    );
    return rows.map(toPlaced);
  }

  async countProducts(filter: ProductFilter, terms?: SearchTerms): Promise<number> {
    const parameters = new Parameters();
    const query = terms ? `, ${tsquery(terms, parameters)}` : '';
    const all = [...(terms ? ['p.search @@ q.query'] : []), ...conditions(filter, parameters)];
    const rows = await this.longReads.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM catalog.products p${query} ${where(all)}`,
      parameters.values,
    );
    return rows[0]?.count ?? 0;
  }

  /** For each category, one page of the products in it and below it, newest first. */
  async productsByCategory(
    categoryIds: readonly string[],
    after: Position | null,
    limit: number,
  ): Promise<PlacedProduct[][]> {
    const parameters = new Parameters();
    const all = [`p.category_id IN ${subtree('parent.id COLLATE "C"')}`, ...afterPosition('NEWEST', after, parameters)];
    const rows = await this.longReads.query<ProductRow & { key: string; parent: string }>(
      `SELECT parent.id AS parent, found.* FROM unnest(${parameters.add(categoryIds)}::text[]) parent(id)
       CROSS JOIN LATERAL (
         SELECT ${PRODUCT}, ${SORTS.NEWEST.key} AS key, p.created_at FROM catalog.products p
         ${where(all)} ${orderBy('NEWEST')} LIMIT ${parameters.add(limit)}
       ) found ORDER BY found.created_at DESC, found.id DESC`,
      parameters.values,
    );
    return grouped(categoryIds, rows, (row) => row.parent, toPlaced);
  }

  async countByCategory(categoryIds: readonly string[]): Promise<number[]> {
    const rows = await this.longReads.query<{ id: string; count: number }>(
      `SELECT parent.id, (
         SELECT count(*)::int FROM catalog.products p WHERE p.category_id IN ${subtree('parent.id COLLATE "C"')}
       ) AS count FROM unnest($1::text[]) parent(id)`,
      [categoryIds],
    );
    return byKey(
      categoryIds,
      rows,
      (row) => row.id,
      (row) => row.count,
    ).map((count) => count ?? 0);
  }

  async categories(): Promise<Category[]> {
    return this.db.query<Category>(
      'SELECT id, name, parent_id AS "parentId" FROM catalog.categories ORDER BY lower(name), id',
    );
  }

  async categoriesById(ids: readonly string[]): Promise<(Category | null)[]> {
    const rows = await this.db.query<Category>(
      'SELECT id, name, parent_id AS "parentId" FROM catalog.categories WHERE id = ANY($1)',
      [ids],
    );
    return byKey(
      ids,
      rows,
      (row) => row.id,
      (row) => row,
    );
  }

  async userNames(ids: readonly string[]): Promise<(string | null)[]> {
    const rows = await this.db.query<{ id: string; name: string }>(
      'SELECT id, name FROM catalog.users WHERE id = ANY($1)',
      [ids],
    );
    return byKey(
      ids,
      rows,
      (row) => row.id,
      (row) => row.name,
    );
  }

  /** For each user, the products that the last 2,000 tracked views were of, the latest first. */
  async recentlyViewed(userIds: readonly string[], limit: number): Promise<Product[][]> {
    const rows = await this.longReads.query<ProductRow & { viewer: string }>(
      `SELECT viewer.id AS viewer, seen.* FROM unnest($1::text[]) viewer(id)
       CROSS JOIN LATERAL (
         SELECT ${PRODUCT}, view.last FROM (
           SELECT product_id, max(occurred_at) AS last FROM (
             SELECT e.product_id, e.occurred_at FROM catalog.events e
             WHERE e.user_id = viewer.id AND e.type = 'VIEW' ORDER BY e.occurred_at DESC LIMIT 2000
           ) recent GROUP BY product_id
         ) view JOIN catalog.products p ON p.id = view.product_id ORDER BY view.last DESC, p.id LIMIT $2
       ) seen ORDER BY seen.last DESC, seen.id`,
      [userIds, limit],
    );
    return grouped(userIds, rows, (row) => row.viewer, toProduct);
  }

  /**
   * Records the events that are new, or none of them when a product is unknown.
   * @returns how many were new, and the client ids of (the first five) events whose product is unknown
   */
  async track(events: readonly TrackedEvent[]): Promise<{ accepted: number; unknown: string[] }> {
    // Inserted in the order of the unique key, so that calls that share events wait for each other and never in a circle.
    // The price is today's, which says nothing about events that arrive late.
    const rows = await this.db.query<{ accepted: number; unknown: string[] }>(
      `WITH input AS (
         SELECT e.*, p.id IS NULL AS unknown, p.price
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::timestamptz[]) WITH ORDINALITY
           AS e(client_event_id, user_id, product_id, type, quantity, occurred_at, position)
         LEFT JOIN catalog.products p ON p.id = e.product_id
       ), inserted AS (
         INSERT INTO catalog.events (client_event_id, user_id, product_id, type, quantity, price, occurred_at)
         SELECT client_event_id, user_id, product_id, type, quantity,
           CASE WHEN occurred_at > now() - interval '1 day' THEN price END, occurred_at
         FROM input WHERE NOT EXISTS (SELECT FROM input WHERE unknown)
         ORDER BY user_id, client_event_id, position
         ON CONFLICT ON CONSTRAINT events_once DO NOTHING
         RETURNING 1
       )
       SELECT (SELECT count(*)::int FROM inserted) AS accepted,
         ARRAY(SELECT client_event_id FROM input WHERE unknown ORDER BY position LIMIT 5) AS unknown`,
      [
        events.map((event) => event.clientEventId),
        events.map((event) => event.userId),
        events.map((event) => event.productId),
        events.map((event) => event.type),
        events.map((event) => event.quantity),
        events.map((event) => event.occurredAt.toISOString()),
      ],
    );
    return rows[0] as { accepted: number; unknown: string[] };
  }

  /**
   * Creates or replaces products, all of them or none, in one transaction of four statements.
   * @returns the ids in the order of `drafts`, or what is wrong with one of them
   */
  async upsert(
    drafts: readonly ProductDraft[],
    newId: () => string,
  ): Promise<{ ids: string[] } | { sku: string; problem: 'UNKNOWN_CATEGORY' | 'SKU_TAKEN' }> {
    return this.db.transaction(async (tx) => {
      // Makes loads and other upserts wait: which SKU has which id, and which categories there are, stays true below.
      await tx.query('LOCK TABLE catalog.products IN SHARE ROW EXCLUSIVE MODE');
      const known = await tx.query<{ sku: string; id: string }>(
        'SELECT sku, id FROM catalog.products WHERE sku = ANY($1) ORDER BY sku, id',
        [drafts.map((draft) => draft.sku)],
      );
      const owners = new Map<string, string[]>();
      for (const { sku, id } of known) owners.set(sku, [...(owners.get(sku) ?? []), id]);
      // Loaded data may give one SKU to several products; only a product that does not have it yet may not take it.
      const taken = drafts.find(({ id, sku }) => id !== null && owners.get(sku)?.includes(id) === false);
      if (taken) return { sku: taken.sku, problem: 'SKU_TAKEN' };
      const ids = drafts.map((draft) => draft.id ?? owners.get(draft.sku)?.[0] ?? newId());
      const [missing] = await tx.query<{ id: string }>(
        `SELECT DISTINCT id FROM unnest($1::text[]) wanted(id)
         WHERE NOT EXISTS (SELECT FROM catalog.categories c WHERE c.id = wanted.id)`,
        [drafts.map((draft) => draft.categoryId)],
      );
      const orphan = missing && drafts.find((draft) => draft.categoryId === missing.id);
      if (orphan) return { sku: orphan.sku, problem: 'UNKNOWN_CATEGORY' };
      await tx.query(
        `INSERT INTO catalog.products
           (id, sku, name, description, price, currency, category_id, attributes, stock, image_url, created_at, source, in_lake)
         SELECT id, sku, name, description, price, currency, category_id, attributes, stock, image_url, now(), 'api', false
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::text[], $7::text[], $8::jsonb[],
           $9::int[], $10::text[])
           AS draft(id, sku, name, description, price, currency, category_id, attributes, stock, image_url)
         ON CONFLICT (id) DO UPDATE SET (sku, name, description, price, currency, category_id, attributes, stock, image_url,
           source, in_lake) = (excluded.sku, excluded.name, excluded.description, excluded.price, excluded.currency,
           excluded.category_id, excluded.attributes, excluded.stock, excluded.image_url, 'api', false)`,
        [
          ids,
          drafts.map((draft) => draft.sku),
          drafts.map((draft) => draft.name),
          drafts.map((draft) => draft.description),
          drafts.map((draft) => draft.price),
          drafts.map((draft) => draft.currency),
          drafts.map((draft) => draft.categoryId),
          drafts.map((draft) => JSON.stringify(draft.attributes)),
          drafts.map((draft) => draft.stock),
          drafts.map((draft) => draft.imageUrl),
        ],
      );
      return { ids };
    });
  }
}
