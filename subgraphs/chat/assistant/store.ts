import type { Queryable } from '../../kit/database.ts';

/** Values longer than this are sentences: nobody names them in a question. */
const MAX_VALUE = 60;
const MAX_VALUES = 5_000;
/** Names of more products are found by search alone. */
const MAX_NAMES = 200_000;

export interface CategoryRow {
  id: string;
  name: string;
  parentId: string | null;
}

export interface AttributeRow {
  name: string;
  value: string;
  products: number;
}

export interface Words {
  categories: CategoryRow[];
  /** The most frequent first. */
  attributes: AttributeRow[];
  products: { id: string; name: string }[];
}

/** The words that the catalogue is made of. */
export async function readWords(db: Queryable): Promise<Words> {
  const [categories, products, attributes] = await Promise.all([
    db.query<CategoryRow>('SELECT id, name, parent_id AS "parentId" FROM catalog.categories ORDER BY id'),
    db.query<{ id: string; name: string }>('SELECT id, name FROM catalog.products ORDER BY id LIMIT $1', [MAX_NAMES]),
    db.query<AttributeRow>(
      `SELECT key AS name, value, count(*)::int AS products
       FROM catalog.products, jsonb_each_text(attributes) WHERE length(value) BETWEEN 1 AND $1
       GROUP BY key, value ORDER BY products DESC, key, value LIMIT $2`,
      [MAX_VALUE, MAX_VALUES],
    ),
  ]);
  return { categories, attributes, products };
}

/** Another text after each change of the catalogue. */
export async function catalogueVersion(db: Queryable): Promise<string> {
  const [row] = await db.query<{ version: string }>(
    `SELECT (SELECT last_value FROM catalog.product_versions) || '.' || (SELECT count(*) FROM catalog.products) AS version`,
  );
  return row?.version ?? '';
}
